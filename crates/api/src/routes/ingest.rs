//! `GET /api/ingest`.

use crate::json::Json;
use crate::services::IngestReport;
use crate::state::ApiState;
use axum::extract::State;

/// Where every message that was received has ended. The outcomes add up to what was received: in all, by source and by
/// observer.
#[utoipa::path(get, path = "/api/ingest", tag = "perf", responses((status = 200, body = IngestReport)))]
pub(crate) async fn ingest(State(state): State<ApiState>) -> Json<IngestReport> {
    let mut report = state.services().ingest_report();
    state.read(|index, _now| {
        for account in report.observers.iter_mut().filter(|account| account.observer_name.is_none()) {
            let record = index.observer_by_key(&account.observer_id).and_then(|id| index.observer_record(id));
            account.observer_name = record.and_then(|record| record.name.as_deref()).map(str::to_owned);
        }
    });
    Json(report)
}
