#![no_main]

// Rules are loaded before the clock of the first case runs.
libfuzzer_sys::fuzz_target!(init: palisade_waf_fuzz::transaction(b"\0"), |data: &[u8]| palisade_waf_fuzz::transaction(data));
