use proptest::prelude::*;

use super::*;

mod kernel;

const IO: &str = "rchar: 3980\nwchar: 12\nsyscr: 9\nsyscw: 2\nread_bytes: 4096\nwrite_bytes: 8192\n\
                  cancelled_write_bytes: 1024\n";

fn sample(at: Instant, write_bytes: u64) -> Sample {
    Sample { at, unix_ms: 1, io: ProcIo { write_bytes, ..ProcIo::default() } }
}

#[test]
fn the_kernels_text_is_read_field_by_field() {
    let expected = ProcIo {
        read_chars: 3980,
        write_chars: 12,
        read_syscalls: 9,
        write_syscalls: 2,
        read_bytes: 4096,
        write_bytes: 8192,
        cancelled_write_bytes: 1024,
    };
    assert_eq!(parse_proc_io(IO), Ok(expected));
}

#[test]
fn lines_that_are_missing_or_unknown_do_not_matter() {
    let io = parse_proc_io("colour: blue\nno colon\nwrite_bytes: 7\n").unwrap();
    assert_eq!(io, ProcIo { write_bytes: 7, ..ProcIo::default() });
}

#[test]
fn texts_without_anything_known_are_refused() {
    for text in ["", "\n\n", "rchar", ":", "x: 1", "\u{202e}rchar 5"] {
        assert_eq!(parse_proc_io(text), Err(ParseProcError::NothingKnown), "{text:?}");
        assert_eq!(parse_proc_status(text), Err(ParseProcError::NothingKnown), "{text:?}");
    }
}

#[test]
fn numbers_that_are_none_are_named_with_their_line() {
    for value in ["-1", "", "1.5", "18446744073709551616", "0x10", "9 9"] {
        let text = format!("rchar: 1\nwchar: {value}\n");
        assert_eq!(parse_proc_io(&text), Err(ParseProcError::BadNumber { line: 2, key: "wchar" }), "{value}");
    }
    let too_many = format!("VmRSS: {} kB", u64::MAX);
    assert_eq!(parse_proc_status(&too_many), Err(ParseProcError::BadNumber { line: 1, key: "VmRSS" }));
}

#[test]
fn memory_is_given_in_bytes() {
    let status =
        parse_proc_status("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n").unwrap();
    assert_eq!(status.vm_rss_bytes, Some(1_048_576));
    assert_eq!(status.vm_hwm_bytes, Some(2_097_152));
    assert_eq!(status.threads, Some(3));
}

#[test]
fn a_counter_that_falls_is_not_a_negative_rate() {
    let start = Instant::now();
    let rates = rates_between(&sample(start, 1_000), &sample(start + Duration::from_secs(1), 10));
    assert_eq!(rates.write_bytes_per_sec, 0.0);
}

#[test]
fn one_sample_alone_gives_zero_over_an_empty_window() {
    let only = sample(Instant::now(), 1_000);
    let rates = rates_between(&only, &only);
    assert_eq!((rates.available, rates.window_ms, rates.write_bytes_per_sec), (true, 0, 0.0));
}

#[test]
fn the_window_is_five_seconds_once_there_is_that_much() {
    let start = Instant::now();
    let samples: VecDeque<Sample> =
        (0..20).map(|second| sample(start + Duration::from_secs(second), second * 100)).collect();
    let newest = samples.back().unwrap();
    let rates = rates_between(base_of(&samples, newest.at), newest);
    assert_eq!((rates.window_ms, rates.write_bytes_per_sec), (5_000, 100.0));
}

#[test]
fn all_clients_see_the_same_rates_of_the_same_sample() {
    let sampler = ProcessSampler::spawn(Duration::from_secs(3_600));
    // The second sample comes after a tenth of a second and the third not before an hour has passed.
    let deadline = Instant::now() + Duration::from_secs(30);
    while sampler.rates().available && sampler.rates().window_ms == 0 {
        assert!(Instant::now() < deadline, "no second sample");
        std::thread::yield_now();
    }
    let first = sampler.rates();
    assert_eq!(first, sampler.rates());
    assert_eq!(first, sampler.rates());
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_uses_memory_and_its_threads_have_names() {
    let sampler = ProcessSampler::spawn(Duration::from_secs(1));
    assert!(sampler.rss_bytes().is_some_and(|bytes| bytes > 100_000));
    if sampler.totals().is_some() {
        // A thread takes its name when it begins to run.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !thread_io().unwrap().iter().any(|thread| thread.name == "proc-sampler") {
            assert!(Instant::now() < deadline, "no thread of that name");
            std::thread::yield_now();
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic(text in "(?s).{0,200}") {
        let _ = parse_proc_io(&text);
        let _ = parse_proc_status(&text);
    }

    #[test]
    fn no_damage_of_the_real_text_makes_the_parsers_panic(at in 0..IO.len(), with in "\\PC{0,3}") {
        let mut text = IO.to_owned();
        text.replace_range(at..=at, &with);
        let _ = parse_proc_io(&text);
    }
}
