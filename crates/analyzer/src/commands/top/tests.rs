use super::fetch::{News, Order, Snapshot};
use super::screen::Screen;
use super::{draw, plain};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use xray::{
    AlertsReport, CauseRow, Flag, JobAction, JobReport, JobState, JobsReport, Ledger, Level, ProcessLedger,
    Progress, SeriesKind, SeriesReading, Severity, Subject, SubjectKind, Unit, Verdict,
};

fn series(name: &str, value: u64, per_sec: Option<f64>) -> SeriesReading {
    let kind = if per_sec.is_some() { SeriesKind::Counter } else { SeriesKind::Gauge };
    SeriesReading { name: name.to_owned(), kind, unit: Unit::Bytes, help: String::new(), value, per_sec }
}

fn cause(cause: &str, job: Option<&str>, bytes: u64) -> CauseRow {
    CauseRow {
        component: "ingest".to_owned(),
        job: job.map(str::to_owned),
        cause: cause.to_owned(),
        bytes,
        operations: 1_234,
        bytes_per_sec: bytes as f64 / 60.0,
        share: 0.25,
        effects: Vec::new(),
    }
}

fn job(name: &str, state: JobState, actions: Vec<JobAction>) -> JobReport {
    JobReport {
        name: name.to_owned(),
        purpose: String::new(),
        state,
        budget_bytes_per_sec: Some(262_144),
        interval_secs: None,
        actions,
        runs: 0,
        started_ms: None,
        next_ms: None,
        took_ms: None,
        progress: Some(Progress { done: 1, total: 8 }),
        examined: 0,
        changed: 0,
        unchanged: 0,
        written_bytes: 0,
        bytes_per_sec: 2_600_000.0,
        no_op_ratio: Some(0.99),
        duty_cycle: 1.0,
        suffered_ms: 0,
        inflicted_ms: 41_000,
        braked_ms: 0,
        error: None,
    }
}

fn snapshot() -> Snapshot {
    let flag = Flag {
        id: "rewrite.no_op".to_owned(),
        subject: Subject { kind: SubjectKind::Job, name: "rewrite".to_owned() },
        rule: "no_op".to_owned(),
        severity: Severity::Critical,
        title: "rewrite rewrites rows without changing them".to_owned(),
        reason: "it wrote 1.2 M rows without changing one for 38 min\u{1b}[2J".to_owned(),
        remedy: "pause it".to_owned(),
        value: 99.0,
        limit: 50.0,
        unit: "%".to_owned(),
        since_ms: 0,
        series: Vec::new(),
    };
    let verdict = Verdict { level: Level::Critical, text: "rewrite wears out the disk".to_owned() };
    let causes = vec![cause("rewrite", Some("rewrite"), 156_000_000), cause("packets", None, 60_000)];
    let process = ProcessLedger { process: "run".to_owned(), causes, ..ProcessLedger::default() };
    let both = vec![JobAction::Pause, JobAction::Resume];
    Snapshot {
        version: "0.1.0".to_owned(),
        uptime_secs: 11_520,
        alerts: AlertsReport { verdict, active: vec![flag], ..AlertsReport::default() },
        series: vec![
            series("written.rewrite.wal", 1, Some(2_600_000.0)),
            series("written.packets.wal", 1, Some(1_000.0)),
            series("rows.obs_inserted", 1, Some(4.25)),
            series("wal.bytes", 5_000_000, None),
            series("cache.hits", 990, Some(1.0)),
            series("cache.misses", 10, Some(1.0)),
            series("commit.p99", 12_300, None),
        ],
        jobs: JobsReport {
            jobs: vec![
                job("checkpoint", JobState::Idle, Vec::new()),
                job("rewrite", JobState::Braked, both.clone()),
                job("vacuum", JobState::Paused, both),
            ],
        },
        ledger: Ledger { processes: vec![process], ..Ledger::default() },
        trend: vec![1_000, 2_600_000, 0],
    }
}

fn screen(has_key: bool, colours: bool) -> Screen {
    let mut screen = Screen::new("http://127.0.0.1:3000", has_key, colours);
    screen.take(News::Figures(Box::new(snapshot())));
    screen
}

fn drawn(screen: &Screen, width: u16, height: u16) -> (String, Buffer) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
    terminal.draw(|frame| draw::draw(frame, screen)).expect("it draws");
    let buffer = terminal.backend().buffer().clone();
    let rows = buffer.content().chunks(usize::from(width));
    let text = rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n");
    (text.collect(), buffer)
}

const WANTED: &[&str] = &[
    "CRITICAL: rewrite wears out the disk",
    "!! rewrite.no_op: it wrote 1.2 M rows without changing one for 38 min?[2J",
    "written 2.6 MB/s",
    "observations 4.2/s",
    "log 5.0 MB",
    "cache 99 %",
    "commit p99 12.3 ms",
    "at most 2.6 MB/s",
    "job rewrite",
    "1,234",
    "braked 12 %",
    "262.1 kB",
    "41.0 s",
    "up 3 h 12 min",
];

#[test]
fn all_of_it_fits_on_80_columns_and_24_rows() {
    let (text, _) = drawn(&screen(true, true), 80, 24);
    for wanted in WANTED.iter().chain(&["q quit", "INGEST WAITED", "vacuum"]) {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn many_jobs_leave_room_for_the_rest_and_scroll_to_the_selected_one() {
    let mut many = snapshot();
    many.jobs.jobs =
        (0..12).map(|number| job(&format!("job_{number:02}"), JobState::Idle, Vec::new())).collect();
    let mut screen = screen(true, true);
    screen.take(News::Figures(Box::new(many)));
    screen.select(11);
    let (text, _) = drawn(&screen, 80, 24);
    for wanted in
        ["meshcore-analyzer 0.1.0", "CRITICAL", "cache 99 %", "rewrite ", "packets ", "job_11", "q quit"]
    {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    assert!(!text.contains("job_00"), "{text}");
}

#[test]
fn without_colours_there_are_none() {
    let (_, buffer) = drawn(&screen(true, false), 80, 24);
    let coloured = buffer.content().iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
    assert!(!coloured);
    let (_, buffer) = drawn(&screen(true, true), 80, 24);
    assert!(buffer.content().iter().any(|cell| cell.fg == Color::Red), "the test can tell");
}

#[test]
fn any_size_of_terminal_is_drawn() {
    for (width, height) in [(1, 1), (5, 40), (39, 10), (80, 12), (400, 100)] {
        drawn(&screen(true, true), width, height);
        drawn(&Screen::new("http://a", false, true), width, height);
    }
}

#[test]
fn a_program_that_is_not_there_is_said_plainly_and_old_figures_are_called_old() {
    let mut screen = Screen::new("http://127.0.0.1:3000", false, true);
    let reason =
        || News::Unreachable("cannot reach the program at http://127.0.0.1:3000: refused".to_owned());
    screen.take(reason());
    let (text, _) = drawn(&screen, 80, 24);
    assert!(text.contains("NOT REACHABLE\u{20}") && text.contains("Is it running?"), "{text}");
    screen.take(News::Figures(Box::new(snapshot())));
    assert!(!drawn(&screen, 80, 24).0.contains("NOT REACHABLE"));
    screen.take(reason());
    assert!(drawn(&screen, 80, 24).0.contains("what is below is old"));
}

#[test]
fn p_pauses_what_runs_and_resumes_what_is_paused_where_that_may_be_done() {
    let mut with_key = screen(true, true);
    assert_eq!(with_key.pause_or_resume(), None);
    assert_eq!(with_key.message.as_deref(), Some("checkpoint cannot be paused"));
    with_key.select(1);
    let order = |job: &str, action| Some(Order { job: job.to_owned(), action });
    assert_eq!(with_key.pause_or_resume(), order("rewrite", JobAction::Pause));
    with_key.select(5);
    assert_eq!(with_key.pause_or_resume(), order("vacuum", JobAction::Resume));
    with_key.select(-9);
    assert_eq!(with_key.selected(), Some(0));
    let mut without = screen(false, true);
    without.select(1);
    assert_eq!(without.pause_or_resume(), None);
    assert!(without.message.is_some_and(|message| message.contains("ANALYZER_API_KEY")));
}

#[test]
fn printed_once_it_says_the_same() {
    let text = plain::text(&snapshot(), "http://127.0.0.1:3000");
    for wanted in WANTED {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn lines_are_broken_between_words_and_long_words_within() {
    assert_eq!(draw::wrapped("ab cd efghijk", 5), ["ab cd", "efghi", "jk"]);
    assert_eq!(draw::wrapped("", 0), [""]);
    assert_eq!(draw::wrapped("äöü äöü", 3), ["äöü", "äöü"]);
}
