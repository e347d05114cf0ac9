#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| stamp_proto::fuzzing::fixed_tlvs(octets));
