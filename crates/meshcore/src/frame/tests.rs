use super::*;

fn error_of(bytes: &[u8]) -> (FrameErrorKind, FrameField, usize) {
    let error = Frame::parse(bytes).unwrap_err();
    (error.kind, error.field, error.offset)
}

#[test]
fn every_error_says_where() {
    use {FrameErrorKind as Kind, FrameField as Field};
    let long = |head: &[u8], len: usize| [head, &vec![0; len - head.len()]].concat();
    let cases: [(Vec<u8>, (Kind, Field, usize)); 12] = [
        (vec![], (Kind::Length, Field::Frame, 0)),
        (vec![0x15], (Kind::Length, Field::Frame, 1)),
        (long(&[0x15, 0x00], 256), (Kind::Length, Field::Frame, 255)),
        (vec![0xFF, 0], (Kind::Version, Field::Header, 0)),
        (vec![0x14, 1, 2, 3], (Kind::TruncatedTransport, Field::TransportCodes, 1)),
        (vec![0x14, 1, 2, 3, 4], (Kind::MissingPathByte, Field::PathByte, 5)),
        (vec![0x14, 1, 2, 3, 4, 0xC0, 9], (Kind::PathMode3, Field::PathByte, 5)),
        (vec![0x15, 0x61, 9], (Kind::PathTooLong, Field::PathByte, 1)),
        (vec![0x15, 0x02, 9], (Kind::PathBeyondFrame, Field::Path, 2)),
        (long(&[0x15, 0x01], 2 + 1 + 185), (Kind::PayloadTooBig, Field::Payload, 3)),
        (vec![0x15, 0x01, 9], (Kind::EmptyPayload, Field::Payload, 3)),
        (vec![0x17, 1, 2, 3, 4, 0x00], (Kind::EmptyPayload, Field::Payload, 6)),
    ];
    for (bytes, expected) in cases {
        assert_eq!(error_of(&bytes), expected, "{bytes:02X?}");
    }
}

#[test]
fn the_first_error_in_the_firmwares_order_wins() {
    assert_eq!(error_of(&[0x54, 1]).0, FrameErrorKind::Version);
    assert_eq!(error_of(&[0x55, 0xC0]).0, FrameErrorKind::Version);
    assert_eq!(error_of(&[0x14, 0xC0]).0, FrameErrorKind::TruncatedTransport);
}

#[test]
fn a_lenient_reading_keeps_what_stands_before_and_after_the_error() {
    let bytes = [&[0x15, 0x41, 0xAA, 0xBB][..], &[7; 185]].concat();
    let read = Frame::parse_lenient(&bytes);
    assert_eq!(read.error.map(|e| e.kind), Some(FrameErrorKind::PayloadTooBig));
    assert_eq!(read.path.map(|p| p.bytes()), Some(&[0xAA, 0xBB][..]));
    assert_eq!((read.rest.len(), read.rest_offset), (185, 4));
    assert_eq!(read.frame(), None);

    let mode_3 = Frame::parse_lenient(&[0x14, 1, 2, 3, 4, 0xC1, 5, 6]);
    assert_eq!(mode_3.transport_codes.map(TransportCodes::to_bytes), Some([1, 2, 3, 4]));
    assert_eq!((mode_3.path_byte, mode_3.path, mode_3.rest), (Some(0xC1), None, &[5, 6][..]));
}

#[test]
fn the_hash_of_a_trace_has_two_bytes_of_path_length() {
    let payload = [0x64, 0xC4, 0x90, 0x5A, 0, 0, 0, 0, 0, 0x27];
    assert_eq!(content_hash(PayloadType::Trace, 0, &payload).to_string(), "2e1a02da31a49da3");
    assert_ne!(content_hash(PayloadType::Trace, 1, &payload), content_hash(PayloadType::Trace, 0, &payload));
    assert_eq!(content_hash(PayloadType::Ack, 1, &payload), content_hash(PayloadType::Ack, 0, &payload));
}
