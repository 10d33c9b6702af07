//! A data folder that cannot be written: found so at the start, or become so, as worn out cards do.

use super::{FAILING, commits_fail, publish, said, wrapped_apart, wrapped_with_small_disk};
use crate::kept::{demand, observer, publish_all, ready};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use testkit::{Server, eventually};

#[test]
fn a_data_folder_on_a_read_only_file_system_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = folder.path().join("data");
    let remount = format!("mount -o remount,ro {} || exit 98\n", data.display());
    let Some(program) = wrapped_with_small_disk(folder.path(), &data, 4, &remount) else { return };
    let output = Command::new(program)
        .args(["run", "--http", "127.0.0.1:0", "--mqtt", "off", "--data-dir"])
        .arg(&data)
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains(&data.display().to_string()) && text.to_lowercase().contains("read-only"),
        "{text}"
    );
}

/// A disk in a file, mounted so that an error makes it read-only, which is the default of most systems. `None`, loudly, where
/// there is no such thing.
fn wrapped_with_failing_disk(folder: &Path, data: &Path) -> Option<PathBuf> {
    let image = folder.join("disk");
    std::fs::create_dir_all(data).expect("a folder");
    std::fs::File::create(&image).and_then(|file| file.set_len(32 << 20)).expect("a sparse file");
    let made = ["mkfs.ext4", "/sbin/mkfs.ext4"].into_iter().find_map(|program| {
        Command::new(program)
            .args(["-q", "-F"])
            .arg(&image)
            .output()
            .ok()
            .filter(|output| output.status.success())
    });
    if made.is_none() {
        eprintln!("SKIPPED: mkfs.ext4 is not installed; a disk that becomes read-only was not tested");
        return None;
    }
    let (image, data) = (image.display(), data.display());
    // What a system does at its start after such an error.
    let repair = format!("PATH=$PATH:/sbin:/usr/sbin e2fsck -f -y {image} > /dev/null 2>&1");
    wrapped_apart(folder, &format!("{repair}; mount -o loop,errors=remount-ro {image} {data}"), "")
}

/// Where the system lets somebody make the program's disk fail.
fn switch(server: &Server, data: &Path) -> PathBuf {
    let mounts = std::fs::read_to_string(format!("/proc/{}/mounts", server.pid())).expect("its mounts");
    let line = mounts.lines().find(|line| line.contains(&*data.to_string_lossy())).expect("the disk");
    let device = line.split(' ').next().and_then(|path| path.rsplit('/').next()).expect("a device");
    Path::new("/sys/fs/ext4").join(device).join("trigger_fs_error")
}

#[test]
fn a_disk_that_becomes_read_only_stops_acknowledgements_and_what_was_acknowledged_is_there_after_its_repair()
{
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = folder.path().join("data");
    let Some(program) = wrapped_with_failing_disk(folder.path(), &data) else { return };
    let mut server = Server::start_in(&program, &data, &[]);
    let switch = switch(&server, &data);
    let promised = publish_all(&server.mqtt, &observer(1), 0..500);
    if let Err(error) = std::fs::write(&switch, "1") {
        eprintln!(
            "SKIPPED: a disk cannot be made to fail here ({error}); one that becomes read-only was not tested"
        );
        return;
    }
    let publishing = publish(&server, observer(2), 500..1_000);
    commits_fail(&server);
    std::thread::sleep(Duration::from_secs(2));
    assert!(!publishing.is_finished(), "nothing is acknowledged that is not kept");
    assert_eq!(said(&server, FAILING), 1, "{:?}", server.output());
    server.kill();
    assert!(publishing.join().expect("no panic").is_err(), "the publisher knows that it was not kept");

    eventually("the disk is no longer mounted", || (!switch.exists()).then_some(()));
    let server = Server::start_in(&program, &data, &[]);
    ready(&server);
    demand(&server, &promised);
}
