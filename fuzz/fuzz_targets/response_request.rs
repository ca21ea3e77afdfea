#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| assistant_endpoint_fuzz::response_request(data));
