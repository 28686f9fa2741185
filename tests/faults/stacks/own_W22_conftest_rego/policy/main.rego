package main
deny[x] { false }
