//! Everything once, as text for a pipe or a log.

use super::fetch::Snapshot;
use super::figures;

/// Two blanks between columns.
const GAP: &str = "  ";

pub(super) fn text(snapshot: &Snapshot, base: &str) -> String {
    let (_, verdict) = figures::verdict(snapshot);
    let mut lines = vec![
        format!(
            "meshcore-analyzer {} at {base}, up {}",
            figures::clean(&snapshot.version),
            figures::uptime(snapshot.uptime_secs)
        ),
        verdict,
    ];
    lines.extend(figures::flags(snapshot).into_iter().map(|(_, flag)| flag));
    lines.push(String::new());
    lines.extend(figures::key_figures(snapshot));
    lines.push(figures::trend_title(&snapshot.trend, snapshot.trend.len()));
    lines.push(format!("\n{}", figures::causes_title()));
    lines.extend(table(figures::CAUSE_HEADS, &figures::causes(snapshot)));
    lines.push("\nbackground jobs".to_owned());
    lines.extend(table(figures::JOB_HEADS, &figures::jobs(snapshot)));
    lines.join("\n") + "\n"
}

fn table<const COLUMNS: usize>(heads: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> Vec<String> {
    let heads = heads.map(str::to_owned);
    let all = || std::iter::once(&heads).chain(rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().enumerate().map(|(column, text)| {
            let wide = width(column);
            // The first two are words, the others figures.
            if column < 2 { format!("{text:<wide$}") } else { format!("{text:>wide$}") }
        });
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    all().map(line).collect()
}
