//! A data folder that cannot be written, found so at the start.

use super::wrapped_with_small_disk;
use std::process::Command;

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
