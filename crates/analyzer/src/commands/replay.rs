//! `replay`: publishes a recorded capture to a broker.

use crate::cli::ReplayArgs;
use crate::envelope_file::EnvelopeFile;
use crate::pace::Pace;
use anyhow::{Context as _, Result, bail};
use model::UnixMillis;
use mqtt::{BrokerUrl, Publisher, Qos};

/// Reads the file and publishes it at the pace that was asked for.
///
/// # Errors
/// When the file cannot be read, a line of it is not a message, or the broker refuses or goes away.
pub(crate) fn run(args: &ReplayArgs) -> Result<()> {
    let url = BrokerUrl::parse(&args.broker.to)?;
    let shift_ms = if args.shift_to_now { shift_to_now(args)? } else { 0 };
    let pace = Pace::new(args.rate, args.speed)?;
    let qos = if args.broker.qos == 0 { Qos::AtMostOnce } else { Qos::AtLeastOnce };
    let messages = EnvelopeFile::open(&args.file)?.map(|message| {
        let mut message = message?;
        if shift_ms != 0 {
            let shifted = message.time.plus_ms(shift_ms);
            simulator::shift_to(std::slice::from_mut(&mut message), shifted);
        }
        Ok(message)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sent = runtime.block_on(publish_all(&url, qos, pace, messages))?;
    eprintln!("published {sent} messages to {url}");
    Ok(())
}

/// Publishes everything and waits until the broker has acknowledged it.
///
/// # Errors
/// The first message that cannot be had, or the broker's refusal.
pub(crate) async fn publish_all(
    url: &BrokerUrl,
    qos: Qos,
    mut pace: Pace,
    messages: impl Iterator<Item = Result<simulator::SimMessage>>,
) -> Result<u64> {
    let mut publisher = Publisher::connect(url, None).await?;
    let mut sent = 0;
    for message in messages {
        let message = message?;
        pace.wait(message.time).await;
        publisher.publish(&message.topic, message.payload, qos, false).await?;
        sent += 1;
    }
    publisher.flush().await.context("not all messages were acknowledged")?;
    Ok(sent)
}

fn shift_to_now(args: &ReplayArgs) -> Result<i64> {
    let Some(newest) = EnvelopeFile::newest(&args.file)? else {
        bail!("{}: --shift-to-now needs messages with a `timestamp`, and none has one", args.file.display());
    };
    Ok(UnixMillis::now().0 - newest.0)
}
