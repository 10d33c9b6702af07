//! What the screen is about to show: the newest figures, what is selected, what was said last.

use super::fetch::{News, Order, Snapshot};
use xray::{JobAction, JobReport, JobState};

/// The state of the screen.
pub(super) struct Screen {
    /// Where the program is asked.
    pub(super) base: String,
    pub(super) colours: bool,
    /// `None` before the first answer.
    pub(super) snapshot: Option<Snapshot>,
    /// Why there are no newer figures.
    pub(super) unreachable: Option<String>,
    /// How the newest order went.
    pub(super) message: Option<String>,
    /// The name of the selected job: its place changes when others come and go.
    selected: Option<String>,
    has_key: bool,
}

impl Screen {
    pub(super) fn new(base: &str, has_key: bool, colours: bool) -> Self {
        let base = base.to_owned();
        Self { base, colours, snapshot: None, unreachable: None, message: None, selected: None, has_key }
    }

    pub(super) fn take(&mut self, news: News) {
        match news {
            News::Figures(snapshot) => {
                self.snapshot = Some(*snapshot);
                self.unreachable = None;
            }
            News::Unreachable(reason) => self.unreachable = Some(reason),
            News::Done(message) => self.message = Some(message),
        }
    }

    fn jobs(&self) -> &[JobReport] {
        self.snapshot.as_ref().map_or(&[], |snapshot| &snapshot.jobs.jobs)
    }

    /// The place of the selected job; the first when none is.
    pub(super) fn selected(&self) -> Option<usize> {
        let named = |name: &String| self.jobs().iter().position(|job| job.name == *name);
        let first = (!self.jobs().is_empty()).then_some(0);
        self.selected.as_ref().and_then(named).or(first)
    }

    /// Selects the job above or below.
    pub(super) fn select(&mut self, step: isize) {
        let Some(now) = self.selected() else { return };
        let place = now.saturating_add_signed(step).min(self.jobs().len() - 1);
        self.selected = Some(self.jobs()[place].name.clone());
    }

    /// What `p` means for the selected job; says so when it means nothing.
    pub(super) fn pause_or_resume(&mut self) -> Option<Order> {
        let job = &self.jobs()[self.selected()?];
        let action = match job.state {
            JobState::Paused => JobAction::Resume,
            JobState::Idle | JobState::Running | JobState::Braked => JobAction::Pause,
        };
        let order = Order { job: job.name.clone(), action };
        if !self.has_key {
            self.message = Some("this needs the API key: --key KEY or ANALYZER_API_KEY".to_owned());
            return None;
        }
        if !job.actions.contains(&action) {
            self.message = Some(format!("{} cannot be paused", order.job));
            return None;
        }
        self.message = Some(format!("{}…", order.job));
        Some(order)
    }
}
