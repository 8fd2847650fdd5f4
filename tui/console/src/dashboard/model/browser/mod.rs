//! The browser: buckets, then prefixes and objects, a page of each at a time. Pure, like all of the state.

mod keys;
mod level;

pub use level::{Item, Level, ListRequest, Listed, Place, Status};

use mrdeck_core::uri::S3Uri;

use mrdeck_core::diagnostic::Diagnostic;

/// Where one is, and the way back up.
#[derive(Debug, Clone)]
pub struct Browser {
    pub level: Level,
    above: Vec<Level>,
}

/// What came of opening the selected line.
#[derive(Debug)]
enum Opened {
    Nothing,
    /// A level further down.
    Level(ListRequest),
    Object(S3Uri),
    Refused(Diagnostic),
}

impl Browser {
    fn at(place: Place) -> (Self, ListRequest) {
        let (level, request) = Level::new(place);
        let above = Vec::new();
        (Self { level, above }, request)
    }

    fn open_selected(&mut self) -> Opened {
        let place = match self.level.selected() {
            None => return Opened::Nothing,
            Some(Item::Object { key, size, .. }) => return self.choose(key, *size),
            Some(item) => self.level.place.below(item),
        };
        let (level, request) = Level::new(place);
        let above = std::mem::replace(&mut self.level, level);
        self.above.push(above);
        Opened::Level(request)
    }

    fn choose(&self, key: &str, size: u64) -> Opened {
        let Place::Folder { bucket, .. } = &self.level.place else {
            return Opened::Nothing;
        };
        match S3Uri::new(bucket, key) {
            Ok(uri) if size == 0 => Opened::Refused(Diagnostic::new(
                format!("{uri} has 0 bytes: there is nothing to count"),
                "choose another object",
            )),
            Ok(uri) => Opened::Object(uri),
            Err(error) => Opened::Refused(Diagnostic::new(error.to_string(), "")),
        }
    }

    /// False where there is nothing above.
    fn go_up(&mut self) -> bool {
        match self.above.pop() {
            Some(level) => {
                self.level = level;
                true
            }
            None => false,
        }
    }

    /// Takes an answer in, whichever level asked for it; one that nobody waits for any more is dropped. May ask on:
    /// where the buckets can't be listed, the configured one is opened instead.
    fn listed(
        &mut self,
        request: &ListRequest,
        listed: Listed,
        home: Option<&str>,
    ) -> Option<ListRequest> {
        let is_denied = matches!(listed, Listed::Denied(_));
        self.above
            .iter_mut()
            .chain([&mut self.level])
            .find(|level| level.status.awaits(request))
            .map(|level| level.listed(listed))?;
        let (Place::Buckets, Some(home)) = (&self.level.place, home) else {
            return None;
        };
        self.level.select(home);
        match &self.level.status {
            Status::Failed(diagnostic) if is_denied && self.level.items.is_empty() => {
                let notice = format!("{}; this is the configured bucket", diagnostic.cause);
                let (mut level, request) = Level::new(Place::bucket(home));
                level.notice = Some(notice);
                self.level = level;
                Some(request)
            }
            _ => None,
        }
    }
}
