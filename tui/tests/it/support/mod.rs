//! What the tests share: an S3 server, service processes, a fault proxy, the console itself.
