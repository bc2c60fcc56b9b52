"""Makes authorities and certificates with the program openssl, as those who run services do."""

import os
import subprocess


def openssl(*arguments, text=None, timeout=30):
    """Runs openssl to its end: (exit status, both outputs)."""
    done = subprocess.run(["openssl", *arguments], input=text, text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout)
    return done.returncode, done.stdout


class Authority:
    """An authority in a directory of its own."""

    def __init__(self, directory, name="Test Authority"):
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.pem, self._key = self.path("ca.pem"), self.path("ca.key")
        self._run("req", "-x509", *self._new_key(self._key), "-out", self.pem, "-days", "2", "-subj", f"/CN={name}")

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", days=1, subject=None):
        """(certificate, key): files, which are replaced in one step each."""
        request, extensions = self.path("request"), self.path("extensions")
        certificate, key = self.path(f"{name}.pem"), self.path(f"{name}.key")
        self._run("req", *self._new_key(key + ".new"), "-out", request, "-subj", f"/CN={subject or name}")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={names}\nbasicConstraints=critical,CA:FALSE\n")
        self._run("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self._key, "-CAcreateserial", "-days", str(days),
                  "-extfile", extensions, "-out", certificate + ".new")
        os.replace(key + ".new", key)
        os.replace(certificate + ".new", certificate)
        return certificate, key

    @staticmethod
    def _new_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]

    @staticmethod
    def _run(*arguments):
        status, output = openssl(*arguments)
        if status != 0:
            raise AssertionError(f"openssl {arguments}: {output}")
