//! Are the ports free, or held by ourselves?

mod holder;

use super::Patient;
use super::finding::Finding;
use crate::cli::BrokerListen;
use crate::parts::summary::reachable;
use holder::Holder;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A program on this machine that does not answer by then is not ours.
const PATIENCE: Duration = Duration::from_secs(2);

/// More than the head of an answer of ours has.
const MAX_HEAD: u64 = 16 << 10;

/// Name of the check that can be sure, since it can ask.
const HTTP_PORT: &str = "http port";

/// The header that every answer of our API has.
const OUR_HEADER: &str = "x-corescope-load-status:";

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let plan = &patient.plan;
    let ours = answers_like_us(reachable(plan.http));
    let mut findings = vec![port(HTTP_PORT, "--http", plan.http, patient, ours)];
    match plan.mqtt {
        BrokerListen::At(address) => findings.push(port("mqtt port", "--mqtt", address, patient, ours)),
        BrokerListen::Off => findings.push(Finding::ok("mqtt port", "the embedded broker is off")),
    }
    findings
}

fn port(check: &'static str, option: &str, address: SocketAddr, patient: &Patient, ours: bool) -> Finding {
    let Err(error) = TcpListener::bind(address) else {
        return Finding::ok(check, format!("{address} is free"));
    };
    match error.kind() {
        io::ErrorKind::AddrInUse => held(check, option, address, patient, ours),
        io::ErrorKind::PermissionDenied => {
            Finding::error(check, format!("{address} must not be used: {error}"))
                .meaning("ports below 1024 are for the system; the program does not start")
                .action(format!(
                    "choose another with {option}, or give the program the right (CAP_NET_BIND_SERVICE)"
                ))
        }
        io::ErrorKind::AddrNotAvailable => {
            Finding::error(check, format!("{address} is not an address of this machine"))
                .meaning("the program does not start")
                .action(format!("choose one of its addresses with {option}; 0.0.0.0 means all of them"))
        }
        _ => Finding::error(check, format!("{address} cannot be used: {error}"))
            .meaning("the program does not start")
            .action(format!("choose another with {option}")),
    }
}

fn held(check: &'static str, option: &str, address: SocketAddr, patient: &Patient, ours: bool) -> Finding {
    let holder = Holder::of(address.port());
    let is_writer = match &holder {
        Some(holder) => Some(holder.pid) == patient.writer,
        // Other users' processes are not shown. If the page is ours and somebody writes the database, it is the same.
        None => ours && patient.writer.is_some(),
    };
    let is_ours = (ours && check == HTTP_PORT) || holder.as_ref().is_some_and(Holder::is_this_program);
    let by = holder.map_or("another process".to_owned(), |holder| holder.to_string());
    if is_writer {
        Finding::ok(check, format!("{address} is held by this program, which is running ({by})"))
    } else if is_ours {
        let database = patient.database.display();
        Finding::warning(
            check,
            format!("{address} is held by this program ({by}), which does not write {database}"),
        )
        .meaning(
            "it is another installation, or one that only serves; a second one on this port does not start",
        )
        .action(format!(
            "name its --config or --data-dir to examine that one, or choose another port with {option}"
        ))
    } else {
        Finding::error(check, format!("{address} is held by {by}"))
            .meaning("the program does not start")
            .action(format!("stop that program, or choose another port with {option}"))
    }
}

/// Whether what listens there answers as this program does.
fn answers_like_us(address: SocketAddr) -> bool {
    ask(address).is_ok_and(|head| head.to_ascii_lowercase().contains(OUR_HEADER))
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /api/healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // One that sends a byte now and then would keep us here; the limit of all checks ends that.
    let _ = stream.take(MAX_HEAD).read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
