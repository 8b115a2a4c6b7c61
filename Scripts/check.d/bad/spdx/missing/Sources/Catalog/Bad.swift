struct Bad {}
