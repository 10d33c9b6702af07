//! Making the page: the search, then the rows.

use super::{Asked, PacketRows, PacketsResponse, Shape};
use crate::config::ApiConfig;
use crate::fields::Rows;
use crate::render::packet::{grouped_row, packet_row_of};
use index::{Budget, OverBudget, Reach, ReachedPage, TransmissionView};
use meshcore::KeyRing;

/// # Errors
/// When the budget does not suffice.
pub(super) fn answer(
    reach: &Reach<'_>,
    mut asked: Asked,
    shape: &Shape,
    config: &ApiConfig,
    keys: &KeyRing,
    mut budget: Budget,
) -> Result<PacketsResponse, OverBudget> {
    let can_match = asked.resolve(&reach.hot.read(), config);
    let page = if can_match { reach.packets(&asked.query, &mut budget)? } else { ReachedPage::default() };
    budget.spend(page.rows.len() as u64)?;
    let hidden = &*asked.query.hidden;
    let packets = match shape {
        Shape::Plain(observations, fields) => {
            let make =
                |packet: &TransmissionView<'_>| packet_row_of(packet, keys, hidden, *observations, fields);
            PacketRows::Plain(Rows { rows: shown(reach.views(&page.rows, make)), fields: fields.clone() })
        }
        Shape::Grouped(fields) => {
            let make = |packet: &TransmissionView<'_>| grouped_row(packet, keys, hidden, fields);
            PacketRows::Grouped(Rows { rows: shown(reach.views(&page.rows, make)), fields: fields.clone() })
        }
    };
    Ok(PacketsResponse {
        packets,
        total: page.total,
        total_is_lower_bound: page.total_is_lower_bound.then_some(true),
        limit: asked.query.limit,
        offset: asked.query.offset,
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    })
}

/// The search finds only what may be shown.
fn shown<T>(rows: Vec<Option<T>>) -> Vec<T> {
    rows.into_iter().flatten().collect()
}
