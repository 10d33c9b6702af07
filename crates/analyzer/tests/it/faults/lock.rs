//! Another process that holds the database, such as a backup tool or somebody with a shell.

use super::{commits_fail, publish, said_once};
use crate::binary;
use crate::kept::{demand, observer, publish_all};
use std::time::Duration;
use testkit::Server;

/// Beyond the time that the writer waits for a lock before it says so, and long enough for several attempts.
const HELD: Duration = Duration::from_secs(5);

#[test]
fn a_database_locked_by_another_process_holds_acknowledgements_back_and_loses_nothing() {
    let server = Server::start(&binary(), &[]);
    let mut promised = publish_all(&server.mqtt, &observer(1), 0..200);
    let other = rusqlite::Connection::open(server.data().join("analyzer.db")).expect("the database opens");
    other.execute_batch("BEGIN EXCLUSIVE").expect("nobody else holds it");
    let publishing = [2, 3].map(|number| publish(&server, observer(number), 200..2_000));
    commits_fail(&server);
    std::thread::sleep(HELD);
    assert!(
        publishing.iter().all(|publishing| !publishing.is_finished()),
        "nothing is acknowledged that is not kept"
    );
    other.execute_batch("COMMIT").expect("released");
    for publishing in publishing {
        promised.extend(publishing.join().expect("no panic").expect("all are acknowledged"));
    }
    demand(&server, &promised);
    said_once(&server, &[]);
}
