//! Making the page: the search, then the rows, a portion under each guard.

use super::{Asked, PacketRows, PacketsResponse, Shape};
use crate::config::ApiConfig;
use crate::fields::Rows;
use crate::render::packet::{grouped_row, packet_row_of};
use index::{Budget, Index, OverBudget, PacketPage, SharedIndex, TxRow, search};
use meshcore::KeyRing;

/// Rows made under one read guard, so that a long page does not keep ingest waiting.
const ROWS_PER_GUARD: usize = 256;

/// # Errors
/// When the budget does not suffice.
pub(super) fn answer(
    index: &SharedIndex,
    mut asked: Asked,
    shape: &Shape,
    config: &ApiConfig,
    keys: &KeyRing,
    mut budget: Budget,
) -> Result<PacketsResponse, OverBudget> {
    loop {
        let can_match = asked.resolve(&index.read(), config);
        let (page, of_index) = if can_match {
            let with_number = |index: &Index, page| (page, index.version().index);
            search(index, &asked.query, &mut budget, index::ROWS_PER_GUARD, with_number)?
        } else {
            (PacketPage::default(), index.read().version().index)
        };
        let rows = &page.rows;
        let packets = match shape {
            Shape::Plain(observations, fields) => {
                let make = |index: &Index, row| packet_row_of(&index.view(row), keys, *observations, fields);
                let made = in_portions(index, of_index, rows, &mut budget, make)?;
                made.map(|rows| PacketRows::Plain(Rows { rows, fields: fields.clone() }))
            }
            Shape::Grouped(fields) => {
                let make = |index: &Index, row| grouped_row(&index.view(row), keys, fields);
                let made = in_portions(index, of_index, rows, &mut budget, make)?;
                made.map(|rows| PacketRows::Grouped(Rows { rows, fields: fields.clone() }))
            }
        };
        if let Some(packets) = packets {
            return Ok(PacketsResponse {
                packets,
                total: page.total,
                limit: asked.query.limit,
                offset: asked.query.offset,
                next_cursor: page.next.map(|cursor| cursor.to_string()),
            });
        }
    }
}

/// Rows stay where they are for as long as the index lives, so the guard may be let go between portions. `None` when
/// another index has taken its place, in which they mean nothing: retention and followers do that.
fn in_portions<T>(
    index: &SharedIndex,
    of_index: u64,
    rows: &[TxRow],
    budget: &mut Budget,
    make: impl Fn(&Index, TxRow) -> T,
) -> Result<Option<Vec<T>>, OverBudget> {
    let mut made = Vec::with_capacity(rows.len());
    for portion in rows.chunks(ROWS_PER_GUARD) {
        budget.spend(portion.len() as u64)?;
        let guard = index.read();
        if guard.version().index != of_index {
            return Ok(None);
        }
        made.extend(portion.iter().map(|row| make(&guard, *row)));
    }
    Ok(Some(made))
}
