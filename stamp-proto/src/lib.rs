//! Every octet of STAMP that this toolkit reads or writes (RFC 8762, RFC 8972).
#![no_std]
#![forbid(unsafe_code)]
