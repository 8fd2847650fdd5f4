//! Where charts may be written, and what is left when they can't be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::report::chart::sample::Sample;
use crate::report::chart::{check_path, write_chart};

#[test]
fn the_ending_chooses_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let record = Sample::ordinary(1.0, &[2.0], 3.0);
    let write = |name: &str| {
        let path = folder.path().join(name);
        write_chart(&record, &path, false).map(|()| std::fs::read(path).unwrap())
    };
    assert!(write("a.PNG").unwrap().starts_with(b"\x89PNG"));
    assert!(write("a.Svg").unwrap().starts_with(b"<svg"));
    for name in ["a.jpg", "png", "a.png.txt", ".svg"] {
        assert!(matches!(write(name), Err(ChartError::Ending(_))), "{name}");
    }
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 2, "a refused chart leaves nothing behind");
}

#[test]
fn a_file_that_is_there_stays_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chart.png");
    std::fs::write(&path, "mine").unwrap();
    let record = Sample::ordinary(1.0, &[2.0], 3.0);
    assert!(matches!(
        check_path(&path, false),
        Err(ChartError::Exists(_))
    ));
    assert!(matches!(
        write_chart(&record, &path, false),
        Err(ChartError::Exists(_))
    ));
    // Also when the file appears between the check and the writing.
    assert!(matches!(
        save(&path, b"x", false),
        Err(ChartError::Exists(_))
    ));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");

    write_chart(&record, &path, true).unwrap();
    assert!(std::fs::read(&path).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no temporary file is left"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let record = Sample::ordinary(1.0, &[2.0], 3.0);
    let missing = folder.path().join("no/chart.png");
    let error = write_chart(&record, &missing, false).unwrap_err();
    assert!(matches!(error, ChartError::NoFolder { .. }), "{error}");
    assert!(error.to_string().contains("no; create it"), "{error}");

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = write_chart(&record, &file.join("chart.svg"), true).unwrap_err();
    assert!(matches!(error, ChartError::NoFolder { .. }), "{error}");

    // The folder goes between the check and the writing.
    let error = save(&missing, b"x", true).unwrap_err();
    assert!(matches!(error, ChartError::Write { .. }), "{error}");
    assert!(!missing.exists());

    let taken = folder.path().join("folder.png");
    std::fs::create_dir(&taken).unwrap();
    assert!(matches!(
        check_path(&taken, true),
        Err(ChartError::Exists(_))
    ));
}

#[test]
fn a_bare_name_is_in_the_current_folder() {
    check_path(Path::new("a-name-that-nobody-uses.png"), false).unwrap();
}

#[test]
fn a_full_disk_is_told_with_what_to_do() {
    let error = ChartError::Write {
        path: "/charts/run.png".into(),
        source: io::ErrorKind::StorageFull.into(),
    };
    let text = error.to_string();
    assert!(
        text.contains("/charts/run.png") && text.contains("free some space"),
        "{text}"
    );
}

#[test]
fn a_run_without_an_ended_attempt_has_nothing_to_draw() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chart.png");
    let error = write_chart(&Sample::new(3).so_far(), &path, false).unwrap_err();
    assert!(matches!(error, ChartError::NothingToDraw));
    assert!(!path.exists());
}
