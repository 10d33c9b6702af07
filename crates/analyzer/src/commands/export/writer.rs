//! Rows to bytes, in either format.

use super::csv;
use super::csv::Cell;
use crate::cli::ExportFormat;
use serde::Serialize;
use std::io::{self, Write};
use std::ops::ControlFlow;

/// A row in both formats.
pub(super) trait Row: Serialize {
    /// Names of the cells.
    const COLUMNS: &'static [&'static str];

    /// The row, flat.
    fn cells(&self) -> Vec<Cell<'_>>;
}

/// Takes rows until one cannot be written.
pub(super) struct RowWriter<W: Write> {
    out: W,
    format: ExportFormat,
    rows: u64,
    failure: Option<io::Error>,
}

impl<W: Write> RowWriter<W> {
    pub(super) fn new(out: W, format: ExportFormat) -> Self {
        Self { out, format, rows: 0, failure: None }
    }

    /// Writes what stands before the first row, also when there will be none.
    pub(super) fn begin<R: Row>(&mut self) {
        if self.format == ExportFormat::Csv {
            let names = R::COLUMNS.iter().map(|name| Cell::Ours((*name).into()));
            self.failure = csv::write_row(&mut self.out, names).err();
        }
    }

    /// Writes a row; to go on makes no sense once one could not be written.
    pub(super) fn row<R: Row>(&mut self, row: &R) -> ControlFlow<()> {
        if self.failure.is_some() {
            return ControlFlow::Break(());
        }
        let written = match self.format {
            ExportFormat::Csv => csv::write_row(&mut self.out, row.cells().into_iter()),
            ExportFormat::Jsonl => serde_json::to_writer(&mut self.out, row)
                .map_err(io::Error::from)
                .and_then(|()| self.out.write_all(b"\n")),
        };
        match written {
            Ok(()) => {
                self.rows += 1;
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// How many rows were written, once all have left the buffer.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        match self.failure {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.rows),
        }
    }
}
