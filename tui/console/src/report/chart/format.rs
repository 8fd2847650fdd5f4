//! PNG or SVG: the file's ending says which.

use std::ffi::OsStr;
use std::path::Path;

use super::ChartError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Png,
    Svg,
}

impl Format {
    pub fn of(path: &Path) -> Result<Self, ChartError> {
        let ending = path.extension().map(OsStr::to_ascii_lowercase);
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            _ => Err(ChartError::Ending(path.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::report::chart::sample::Sample;
    use crate::report::chart::write_chart;

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
    fn a_run_without_an_ended_attempt_has_nothing_to_draw() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chart.png");
        let error = write_chart(&Sample::new(3).so_far(), &path, false).unwrap_err();
        assert!(matches!(error, ChartError::NothingToDraw));
        assert!(!path.exists());
    }
}
