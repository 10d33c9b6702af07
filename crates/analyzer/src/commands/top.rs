//! `top`: what the program writes and whether something is wrong, in a terminal.

mod draw;
mod fetch;
mod figures;
mod plain;
mod screen;

use super::client::Client;
use super::out;
use crate::cli::TopArgs;
use anyhow::{Context as _, Result};
use fetch::{News, Order, Snapshot};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use screen::Screen;
use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

/// How long keys are waited for before the screen is drawn again.
const KEY_WAIT: Duration = Duration::from_millis(100);

/// Shows the screen until `q`, or prints everything once.
///
/// # Errors
/// When the address is none, the terminal does not work, or, if it is to print once, the program cannot be reached.
pub(crate) fn run(args: TopArgs) -> Result<()> {
    let client = Client::new(&args.program, args.key)?;
    if args.once || !std::io::stdout().is_terminal() {
        let snapshot = Snapshot::fetch(&client)?;
        return Ok(out::say(&plain::text(&snapshot, client.base()))?);
    }
    let mut screen = Screen::new(client.base(), client.has_key(), colours_wanted());
    let (orders, news) = fetch::start(client)?;
    let mut terminal = ratatui::try_init().context("cannot take over the terminal; --once prints instead")?;
    let shown = show(&mut terminal, &mut screen, &orders, &news);
    ratatui::restore();
    shown
}

fn show(
    terminal: &mut DefaultTerminal,
    screen: &mut Screen,
    orders: &Sender<Order>,
    news: &Receiver<News>,
) -> Result<()> {
    loop {
        for piece in news.try_iter() {
            screen.take(piece);
        }
        terminal.draw(|frame| draw::draw(frame, screen)).context("cannot draw on the terminal")?;
        if !event::poll(KEY_WAIT).context("cannot read keys")? {
            continue;
        }
        let Event::Key(key) = event::read().context("cannot read keys")? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match pressed(key) {
            Some(Pressed::Quit) => return Ok(()),
            Some(Pressed::Up) => screen.select(-1),
            Some(Pressed::Down) => screen.select(1),
            Some(Pressed::PauseOrResume) => {
                if let Some(order) = screen.pause_or_resume() {
                    // The other end lives as long as this function.
                    let _ = orders.send(order);
                }
            }
            None => {}
        }
    }
}

/// What somebody wants.
enum Pressed {
    Quit,
    Up,
    Down,
    PauseOrResume,
}

fn pressed(key: KeyEvent) -> Option<Pressed> {
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Pressed::Quit),
        KeyCode::Char('q') | KeyCode::Esc => Some(Pressed::Quit),
        KeyCode::Up | KeyCode::Char('k') => Some(Pressed::Up),
        KeyCode::Down | KeyCode::Char('j') => Some(Pressed::Down),
        KeyCode::Char('p') => Some(Pressed::PauseOrResume),
        _ => None,
    }
}

/// <https://no-color.org>: any value but the empty one turns colours off.
fn colours_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests;
