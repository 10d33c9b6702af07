//! The screen. It is made for 80 columns and 24 rows; what does not fit is left out from the bottom of each part.

use super::figures;
use super::screen::Screen;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row, Sparkline, Table, TableState};
use xray::{Level, Severity};

/// Rows that flags may take; the reasons of the worst two fit on 80 columns.
const MOST_FLAG_ROWS: usize = 5;

/// Rows of the trend: sixteen steps of height are enough to see a commit.
const TREND_ROWS: u16 = 2;

/// Rows that the causes keep when there are many jobs: title, heads, and the two that write the most.
const LEAST_CAUSE_ROWS: u16 = 4;

/// Jobs at most; the table scrolls to the selected one.
const MOST_JOB_ROWS: usize = 20;

/// Title, verdict, three lines of figures, the trend and the keys.
const FIXED_ROWS: u16 = 1 + 1 + 3 + 1 + TREND_ROWS + 1;

pub(super) fn draw(frame: &mut Frame<'_>, screen: &Screen) {
    let whole = frame.area();
    let flags = flag_lines(screen, usize::from(whole.width));
    let flag_rows = flags.len() as u16;
    // Computed here, because a layout that does not fit shrinks what it likes.
    let free = whole.height.saturating_sub(FIXED_ROWS + flag_rows);
    let jobs = screen.snapshot.as_ref().map_or(0, |snapshot| snapshot.jobs.jobs.len()).min(MOST_JOB_ROWS);
    let job_rows = (1 + jobs as u16).min(free.saturating_sub(LEAST_CAUSE_ROWS));
    let parts = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(flag_rows),
        Constraint::Length(3),
        Constraint::Length(1 + TREND_ROWS),
        Constraint::Fill(1),
        Constraint::Length(job_rows),
        Constraint::Length(1),
    ]);
    let [title, verdict, flag_area, keys_area, trend, causes, jobs, help] = parts.areas(whole);
    draw_title(frame, screen, title);
    draw_verdict(frame, screen, verdict);
    let lines = flags.into_iter().map(|(severity, text)| Line::styled(text, flag_style(screen, severity)));
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), flag_area);
    if let Some(snapshot) = &screen.snapshot {
        let lines = figures::key_figures(snapshot).map(Line::raw);
        frame.render_widget(Paragraph::new(lines.to_vec()), keys_area);
        draw_trend(frame, screen, &snapshot.trend, trend);
        draw_causes(frame, screen, causes);
        draw_jobs(frame, screen, jobs);
    }
    let keys = match &screen.message {
        Some(message) => format!("q quit  ↑↓ job  p pause/resume   {}", figures::clean(message)),
        None => "q quit  ↑↓ job  p pause/resume".to_owned(),
    };
    frame.render_widget(Paragraph::new(keys).style(Style::new().add_modifier(Modifier::DIM)), help);
}

fn draw_title(frame: &mut Frame<'_>, screen: &Screen, area: Rect) {
    let text = match &screen.snapshot {
        Some(snapshot) => format!(
            "meshcore-analyzer {}  {}  up {}",
            figures::clean(&snapshot.version),
            screen.base,
            figures::uptime(snapshot.uptime_secs)
        ),
        None => format!("meshcore-analyzer  {}", screen.base),
    };
    frame.render_widget(Paragraph::new(text).style(Style::new().add_modifier(Modifier::BOLD)), area);
}

fn draw_verdict(frame: &mut Frame<'_>, screen: &Screen, area: Rect) {
    let (level, text) = match (&screen.unreachable, &screen.snapshot) {
        (Some(_), Some(_)) => (Level::Critical, "NOT REACHABLE: what is below is old".to_owned()),
        (Some(_), None) => (Level::Critical, "NOT REACHABLE".to_owned()),
        (None, Some(snapshot)) => figures::verdict(snapshot),
        (None, None) => (Level::Unknown, "asking…".to_owned()),
    };
    let colour = match level {
        Level::Unknown => Color::Reset,
        Level::Ok => Color::Green,
        Level::Warning => Color::Yellow,
        Level::Critical => Color::Red,
    };
    let style = coloured(screen, colour).add_modifier(Modifier::BOLD);
    frame.render_widget(Paragraph::new(text).style(style), area);
}

/// Why the program cannot be reached, or else the flags, each over as many rows as it needs.
fn flag_lines(screen: &Screen, width: usize) -> Vec<(Severity, String)> {
    let texts = match (&screen.unreachable, &screen.snapshot) {
        (Some(reason), _) => {
            let text = format!("{}. Is it running? --url names another address.", figures::clean(reason));
            vec![(Severity::Critical, text)]
        }
        (None, Some(snapshot)) => figures::flags(snapshot),
        (None, None) => Vec::new(),
    };
    let rows = texts
        .into_iter()
        .flat_map(|(severity, text)| wrapped(&text, width).into_iter().map(move |line| (severity, line)));
    rows.take(MOST_FLAG_ROWS).collect()
}

/// Broken between words into lines of at most so many characters; a longer word is broken itself.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let wanted = word.chars().count() + usize::from(used > 0);
        if used > 0 && used + wanted > width {
            lines.push(String::new());
            used = 0;
        }
        let blank = (used > 0).then_some(' ');
        for letter in blank.into_iter().chain(word.chars()) {
            if used == width {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
            used += 1;
        }
    }
    lines
}

fn draw_trend(frame: &mut Frame<'_>, screen: &Screen, trend: &[u64], area: Rect) {
    let [title, bars] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let shown = usize::from(bars.width);
    frame.render_widget(Paragraph::new(figures::trend_title(trend, shown)).style(heading()), title);
    let newest = &trend[trend.len().saturating_sub(shown)..];
    frame.render_widget(Sparkline::default().data(newest).style(coloured(screen, Color::Cyan)), bars);
}

fn draw_causes(frame: &mut Frame<'_>, screen: &Screen, area: Rect) {
    let Some(snapshot) = &screen.snapshot else { return };
    let [title, area] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    frame.render_widget(Paragraph::new(figures::causes_title()).style(heading()), title);
    let widths = [14, 24, 10, 6, 10].map(Constraint::Length);
    let rows = figures::causes(snapshot).into_iter().map(row);
    let table =
        Table::new(rows, widths).header(row(figures::CAUSE_HEADS.map(str::to_owned)).style(heading()));
    frame.render_widget(table, area);
}

fn draw_jobs(frame: &mut Frame<'_>, screen: &Screen, area: Rect) {
    let Some(snapshot) = &screen.snapshot else { return };
    let widths = [14, 14, 10, 10, 14, 13].map(Constraint::Length);
    let rows = figures::jobs(snapshot).into_iter().map(row);
    let table = Table::new(rows, widths)
        .header(row(figures::JOB_HEADS.map(str::to_owned)).style(heading()))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::new().with_selected(screen.selected());
    frame.render_stateful_widget(table, area, &mut state);
}

/// Words to the left, figures to the right.
fn row<const COLUMNS: usize>(cells: [String; COLUMNS]) -> Row<'static> {
    let cells = cells.into_iter().enumerate().map(|(column, text)| {
        let line = Line::from(text);
        Cell::from(if column < 2 { line } else { line.right_aligned() })
    });
    Row::new(cells)
}

fn heading() -> Style {
    Style::new().add_modifier(Modifier::UNDERLINED)
}

fn flag_style(screen: &Screen, severity: Severity) -> Style {
    coloured(
        screen,
        match severity {
            Severity::Warning => Color::Yellow,
            Severity::Critical => Color::Red,
        },
    )
}

/// The colour, if colours are wanted.
fn coloured(screen: &Screen, colour: Color) -> Style {
    if screen.colours { Style::new().fg(colour) } else { Style::new() }
}
