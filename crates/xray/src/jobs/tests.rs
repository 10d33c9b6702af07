use super::*;
use crate::{JobState, Progress, Recent};
use std::sync::atomic::{AtomicBool, Ordering};

const BUDGET: u64 = 10_000;

struct Fixture {
    clock: Arc<FakeClock>,
    jobs: Jobs,
    ingest_waits: Arc<AtomicBool>,
}

impl Fixture {
    fn new() -> Self {
        let clock = Arc::new(FakeClock::default());
        let ingest_waits = Arc::new(AtomicBool::new(false));
        let waits = Arc::clone(&ingest_waits);
        let jobs = Jobs::with_clock(Arc::clone(&clock) as _, move || waits.load(Ordering::Relaxed));
        Self { clock, jobs, ingest_waits }
    }

    fn job(&self, budget: Option<u64>) -> Job {
        self.jobs.register(JobPlan {
            name: "rewrite",
            purpose: "rewrites rows",
            work: Work::Rewrites,
            budget_bytes_per_sec: budget,
            interval: Some(Duration::from_secs(60)),
            actions: &[JobAction::Pause, JobAction::Resume, JobAction::Run],
        })
    }

    fn control(&self, action: JobAction) -> Result<JobReport, JobError> {
        self.jobs.control("rewrite", action, &self.recent(&[]))
    }

    fn report(&self) -> JobReport {
        self.jobs.reports(&self.recent(&[])).remove(0)
    }

    /// Samples at these times, in seconds, of what the jobs tell now.
    fn recent(&self, at_secs: &[i64]) -> Recent {
        let mut sources = Sources::default();
        self.jobs.series(&mut sources);
        let mut recent = Recent::new(Arc::new(sources.catalogue().clone()));
        let mut sample = vec![0; sources.catalogue().infos().len()];
        for at in at_secs {
            sources.read(&mut sample);
            recent.push(at * 1_000, &sample);
        }
        recent
    }
}

fn bytes(written_bytes: u64) -> StepReport {
    StepReport { examined: 7, changed: 2, unchanged: 5, written_bytes, ..StepReport::default() }
}

#[test]
fn a_job_over_its_budget_is_braked_and_one_without_a_budget_never() {
    for (budget, least, most) in [(Some(BUDGET), 60, 100), (None, 0, 0)] {
        let fixture = Fixture::new();
        let run = fixture.job(budget).begin();
        for _ in 0..10 {
            assert!(run.go_on());
            run.step(bytes(BUDGET * 10));
        }
        assert!(run.go_on());
        let took = fixture.clock.steady().as_secs();
        assert!((least..=most).contains(&took), "100 s worth of bytes took {took} s");
        assert_eq!(fixture.report().braked_ms, took * 1_000);
    }
}

#[test]
fn a_job_makes_room_while_ingest_waits_but_not_for_ever() {
    let fixture = Fixture::new();
    let run = fixture.job(Some(BUDGET)).begin();
    fixture.ingest_waits.store(true, Ordering::Relaxed);
    assert!(run.go_on());
    assert_eq!(fixture.clock.steady(), Duration::from_secs(1));
    fixture.ingest_waits.store(false, Ordering::Relaxed);
    assert!(run.go_on());
    assert_eq!(fixture.clock.steady(), Duration::from_secs(1));
}

#[test]
fn a_job_waits_for_its_time_or_to_be_asked_and_is_stopped_at_once() {
    let fixture = Fixture::new();
    let job = fixture.job(None);
    assert_eq!(job.wait(Duration::from_secs(50)), Wake::Due);
    assert_eq!(fixture.clock.steady(), Duration::from_secs(50));
    fixture.control(JobAction::Run).unwrap();
    assert_eq!(job.wait(Duration::MAX), Wake::Asked);
    drop(job.begin());
    fixture.jobs.stop();
    assert_eq!(job.wait(Duration::MAX), Wake::Stop);
    assert!(!job.begin().go_on());
}

#[test]
fn what_hinders_a_job_is_told_until_it_has_gone() {
    let fixture = Fixture::new();
    let job = fixture.job(None);
    job.hindered(Some("the disk is full".to_owned()));
    let error = || fixture.report().error;
    assert_eq!(error().as_deref(), Some("the disk is full"));
    job.hindered(None);
    assert_eq!(error(), None);
}

#[test]
fn a_paused_job_does_nothing_until_it_is_resumed() {
    // The real clock, because the job must wait for another thread; nothing is measured.
    let jobs = Jobs::new(|| false);
    let fixture = Fixture { jobs, ..Fixture::new() };
    let job = fixture.job(None);
    assert_eq!(fixture.control(JobAction::Pause).unwrap().state, JobState::Paused);
    let (told, tells) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let wake = job.wait(Duration::ZERO);
            told.send(wake).unwrap();
            let run = job.begin();
            fixture.control(JobAction::Pause).unwrap();
            told.send(Wake::Due).unwrap();
            assert!(run.go_on());
            told.send(wake).unwrap();
        });
        assert!(tells.try_recv().is_err());
        fixture.control(JobAction::Resume).unwrap();
        assert_eq!(tells.recv(), Ok(Wake::Due));
        assert_eq!(tells.recv(), Ok(Wake::Due));
        assert!(tells.try_recv().is_err());
        fixture.control(JobAction::Resume).unwrap();
        assert_eq!(tells.recv(), Ok(Wake::Due));
    });
    assert_eq!(fixture.report().state, JobState::Idle);
}

#[test]
fn a_job_that_was_asked_for_and_then_paused_waits_to_be_resumed() {
    let fixture = Fixture::new();
    let job = fixture.job(None);
    fixture.control(JobAction::Run).unwrap();
    fixture.control(JobAction::Pause).unwrap();
    let (jobs, recent) = (fixture.jobs.clone(), fixture.recent(&[]));
    let mut seconds = 0;
    fixture.clock.on_second(move || {
        seconds += 1;
        if seconds == 10 {
            jobs.control("rewrite", JobAction::Resume, &recent).unwrap();
        }
    });
    assert_eq!(job.wait(Duration::MAX), Wake::Asked);
    assert!(fixture.clock.steady() >= Duration::from_secs(10));
}

#[test]
fn the_time_in_which_a_run_was_paused_is_not_its_own() {
    let fixture = Fixture::new();
    let run = fixture.job(None).begin();
    fixture.clock.pass(Duration::from_secs(5));
    fixture.control(JobAction::Pause).unwrap();
    let (jobs, recent) = (fixture.jobs.clone(), fixture.recent(&[]));
    fixture.clock.on_second(move || {
        jobs.control("rewrite", JobAction::Resume, &recent).unwrap();
    });
    assert!(run.go_on());
    fixture.clock.pass(Duration::from_secs(4));
    assert_eq!(fixture.report().took_ms, Some(9_000));
    drop(run);
    assert_eq!(fixture.report().took_ms, Some(9_000));
}

#[test]
fn what_cannot_be_done_to_a_job_is_refused_with_the_reason() {
    let fixture = Fixture::new();
    let job = fixture.job(None);
    let unknown = fixture.jobs.control("nonsense", JobAction::Run, &fixture.recent(&[]));
    assert_eq!(unknown, Err(JobError::Unknown("nonsense".to_owned())));
    let run = job.begin();
    let refused = fixture.control(JobAction::Run).unwrap_err().to_string();
    assert_eq!(refused, "rewrite cannot be told to run: it is running");
    drop(run);
    fixture.control(JobAction::Pause).unwrap();
    assert!(fixture.control(JobAction::Run).unwrap_err().to_string().contains("resume it first"));
    fixture.jobs.register(JobPlan { name: "load", actions: &[], ..fixture.plan() });
    assert!(fixture.jobs.control("load", JobAction::Pause, &fixture.recent(&[])).is_err());
}

#[test]
fn a_report_has_what_the_job_did_and_its_series_say_the_same() {
    let fixture = Fixture::new();
    let job = fixture.job(None);
    let run = job.begin();
    run.progress(3, 10);
    fixture.clock.pass(Duration::from_secs(4));
    let report = fixture.report();
    assert_eq!((report.took_ms, report.progress), (Some(4_000), Some(Progress { done: 3, total: 10 })));
    assert_eq!((report.state, report.runs, report.next_ms), (JobState::Running, 0, None));
    let waits = StepReport { inflicted: Duration::from_millis(20), ..bytes(100) };
    run.step(waits);
    run.failed("the disk is full");
    drop(run);
    let report = fixture.report();
    assert_eq!((report.runs, report.examined, report.changed, report.unchanged), (1, 7, 2, 5));
    assert_eq!((report.written_bytes, report.inflicted_ms), (100, 20));
    assert_eq!((report.state, report.error.as_deref()), (JobState::Idle, Some("the disk is full")));
    let recent = fixture.recent(&[1, 2]);
    let value = |end: &str| recent.last(recent.catalogue().find(&format!("jobs.rewrite.{end}")).unwrap());
    assert_eq!((value("unchanged"), value("written"), value("run")), (5, 100, 4_000_000));
}

#[test]
fn work_that_others_have_done_is_booked_as_a_run() {
    let fixture = Fixture::new();
    fixture.clock.pass(Duration::from_secs(100));
    fixture.job(None).observed(bytes(5), Duration::from_secs(2));
    let report = fixture.report();
    assert_eq!((report.runs, report.took_ms, report.written_bytes), (1, Some(2_000), 5));
    assert_eq!(report.started_ms, Some(1_700_000_098_000));
}

impl Fixture {
    fn plan(&self) -> JobPlan {
        JobPlan {
            name: "other",
            purpose: "",
            work: Work::Copies,
            budget_bytes_per_sec: None,
            interval: None,
            actions: &[],
        }
    }
}
