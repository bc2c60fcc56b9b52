module micro.test/interop

go 1.25.0
