//! Rows put together into frames, once for all clients that get the same.

use axum::extract::ws::Utf8Bytes;
use std::fmt::Write as _;

/// A frame ends at the row with which it reaches this. What waits in a socket's buffer is at most one frame, so this
/// times the number of clients is what slow clients can cost at the very most.
const FRAME_BYTES: usize = 16 * 1024;

/// The rows of one group of subscriptions over a stretch of the sequence.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) rows: u64,
    /// Each from `"from"` on: what stands before it names the client's own subscription.
    pub(crate) frames: Vec<String>,
}

impl Batch {
    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.frames.iter().map(String::capacity).sum()
    }
}

/// A batch that is being written.
#[derive(Debug)]
pub(crate) struct BatchWriter {
    batch: Batch,
    /// The rows of the frame at hand, with commas between them.
    rows: String,
    from: u64,
}

impl BatchWriter {
    /// Of a stretch that begins with `from`.
    pub(crate) fn new(from: u64) -> Self {
        Self { batch: Batch::default(), rows: String::new(), from }
    }

    pub(crate) fn push(&mut self, id: u64, row: &str) {
        if !self.rows.is_empty() {
            self.rows.push(',');
        }
        self.rows.push_str(row);
        self.batch.rows += 1;
        if self.rows.len() >= FRAME_BYTES {
            self.close_frame(id);
        }
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> usize {
        self.batch.bytes() + self.rows.len()
    }

    /// The batch, whose stretch ends with `to`. Without rows it has no frames.
    pub(crate) fn finish(mut self, to: u64) -> Batch {
        if !self.rows.is_empty() {
            self.close_frame(to);
        }
        self.batch
    }

    fn close_frame(&mut self, to: u64) {
        let mut frame = String::with_capacity(self.rows.len() + 64);
        // Writing to a text does not fail.
        let _ = write!(frame, r#""from":{},"to":{to},"rows":[{}]}}"#, self.from, self.rows);
        self.batch.frames.push(frame);
        self.rows.clear();
        self.from = to + 1;
    }
}

/// The beginning of the frames of a client's subscription.
#[derive(Debug)]
pub(crate) struct FrameHead(String);

impl FrameHead {
    pub(crate) fn new(id: &str) -> Self {
        Self(format!(r#"{{"type":"observations","id":{},"#, crate::json::to_text(&id)))
    }

    /// The whole frame.
    pub(crate) fn frame(&self, rest: &str) -> Utf8Bytes {
        let mut frame = String::with_capacity(self.0.len() + rest.len());
        frame.push_str(&self.0);
        frame.push_str(rest);
        frame.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn frames_are_json_and_speak_for_the_whole_stretch_without_a_gap() {
        let mut writer = BatchWriter::new(5);
        let row = format!(r#"{{"a":"{}"}}"#, "x".repeat(FRAME_BYTES / 3));
        for id in 7..14 {
            writer.push(id, &row);
        }
        assert!(writer.bytes() > 7 * row.len());
        let batch = writer.finish(20);
        assert_eq!((batch.rows, batch.frames.len()), (7, 3));
        let head = FrameHead::new("a\"b");
        let mut next = 5;
        let mut rows = 0;
        for frame in &batch.frames {
            let frame: Value = serde_json::from_str(&head.frame(frame)).unwrap();
            assert_eq!(frame["type"], "observations");
            assert_eq!(frame["id"], "a\"b");
            assert_eq!(frame["from"], next);
            next = frame["to"].as_u64().unwrap() + 1;
            rows += frame["rows"].as_array().unwrap().len();
        }
        assert_eq!((next, rows), (21, 7));
        assert!(BatchWriter::new(1).finish(9).frames.is_empty());
    }
}
