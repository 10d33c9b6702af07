use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Change, FrameHead, HeadId};

use super::{HighestIds, Queue, RunStep, Step, Work};
use crate::writer::WriteBatch;
use crate::{StorageError, StorageOptions, WriteStats};

/// Groups close by everything but time.
fn queue() -> Queue {
    let hour = Duration::from_secs(3_600);
    let options = StorageOptions {
        max_batch_rows: 3,
        max_batch_delay: hour,
        max_ack_delay: hour,
        ..StorageOptions::new("unused")
    };
    Queue::new(&options, Arc::new(WriteStats::default()))
}

fn rows(count: usize, acknowledged: bool) -> WriteBatch {
    let head = Change::Head(FrameHead { id: HeadId(0), bytes: vec![0; 2].into() });
    let on_durable = acknowledged.then(|| -> Box<dyn FnOnce() + Send> { Box::new(|| {}) });
    WriteBatch { changes: vec![head; count], on_durable }
}

fn step(queue: &Queue) {
    queue.add_step(Step { after: HighestIds::default(), run: Box::new(|_| {}) }).unwrap();
}

/// `g` for a group and `s` for a step, in the order in which the writer gets them.
fn order(queue: &Queue, works: usize) -> String {
    let name = |work| match work {
        Some(Work::Group(_)) => 'g',
        Some(Work::Step(_)) => 's',
        Some(Work::Look) => 'l',
        None => '.',
    };
    (0..works).map(|_| name(queue.next_work(|| true))).collect()
}

#[test]
fn a_step_does_not_begin_while_a_group_is_due() {
    let queue = queue();
    step(&queue);
    step(&queue);
    queue.submit(rows(3, false)).unwrap();
    assert_eq!(order(&queue, 2), "gs");
    // The next group became due while the first step was at work.
    queue.submit(rows(3, false)).unwrap();
    queue.submit(rows(3, false)).unwrap();
    assert_eq!(order(&queue, 3), "ggs");
}

#[test]
fn steps_take_the_time_in_which_a_group_is_only_forming() {
    let queue = queue();
    queue.submit(rows(1, false)).unwrap();
    step(&queue);
    step(&queue);
    assert_eq!(order(&queue, 2), "ss");
    queue.submit(rows(2, false)).unwrap();
    assert_eq!(order(&queue, 1), "g");
}

#[test]
fn a_step_waits_for_room_in_the_log_and_groups_do_not() {
    let queue = queue();
    step(&queue);
    queue.submit(rows(3, false)).unwrap();
    let asked = std::cell::Cell::new(0);
    let no_room_yet = || asked.replace(asked.get() + 1) >= 3;
    assert!(matches!(queue.next_work(no_room_yet), Some(Work::Group(_))));
    assert_eq!(asked.get(), 0);
    assert!(matches!(queue.next_work(no_room_yet), Some(Work::Step(_))));
    assert_eq!(asked.get(), 4);
}

#[test]
fn a_step_that_comes_after_waiting_rows_can_have_them_written_first() {
    let queue = queue();
    assert!(queue.group_now().is_none());
    queue.submit(rows(1, false)).unwrap();
    assert_eq!(queue.group_now().unwrap().row_count(), 1);
}

#[test]
fn an_answer_without_rows_is_due_at_once_unless_rows_before_it_are_unwritten() {
    let queue = queue();
    queue.submit(rows(0, true)).unwrap();
    assert!(queue.group_due().unwrap() <= Instant::now());
    assert_eq!(order(&queue, 1), "g");
    queue.submit(rows(1, false)).unwrap();
    queue.submit(rows(0, true)).unwrap();
    assert!(queue.group_due().unwrap() > Instant::now());
}

#[test]
fn the_time_of_who_waits_counts_from_when_it_came_also_after_a_part_was_taken() {
    let queue = queue();
    queue.submit(rows(2, false)).unwrap();
    queue.submit(rows(2, true)).unwrap();
    let answers = |queue: &Queue| queue.state.lock().oldest_ack;
    assert!(answers(&queue).is_some());
    assert_eq!(order(&queue, 1), "g");
    assert_eq!(answers(&queue), None);
    for acknowledged in [false, true, true] {
        queue.submit(rows(2, acknowledged)).unwrap();
    }
    assert_eq!(order(&queue, 1), "g");
    let third = queue.state.lock().items.front().map(|item| item.at);
    assert_eq!(answers(&queue), third);
}

#[test]
fn closing_tells_who_waits_for_a_step_and_takes_no_more() {
    let queue = queue();
    let (answer, answered) = std::sync::mpsc::sync_channel::<()>(1);
    let run: RunStep = Box::new(move |_| drop(answer));
    queue.add_step(Step { after: HighestIds::default(), run }).unwrap();
    queue.submit(rows(1, false)).unwrap();
    queue.close();
    assert!(answered.recv().is_err());
    assert_eq!(order(&queue, 2), "g.");
    let late = Step { after: HighestIds::default(), run: Box::new(|_| {}) };
    assert!(matches!(queue.add_step(late), Err(StorageError::Closed)));
}

#[test]
fn who_waits_for_a_step_is_told_when_commits_fail() {
    let queue = queue();
    let (answer, answered) = std::sync::mpsc::sync_channel(1);
    let run: RunStep = Box::new(move |told| answer.send(told.err()).unwrap());
    queue.add_step(Step { after: HighestIds::default(), run }).unwrap();
    queue.fail_askers("disk full", "here".as_ref());
    assert!(matches!(answered.recv().unwrap(), Some(StorageError::WriteFailing { .. })));
}
