p = true
