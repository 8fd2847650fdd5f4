//! The browser: buckets, then prefixes and objects, a page of each at a time.

mod listing;

pub use listing::{Item, ListAnswer, ListRequest, Listing, Location, Status};

use super::action::Action;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::uri::S3Uri;
use mrdeck_engine::input::Input;

/// The list that is shown, and those that lead to it.
#[derive(Debug, Clone)]
pub struct Browser {
    listing: Listing,
    above: Vec<Listing>,
}

/// What came of a key.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The browser stays open, and may ask for a page.
    Stay(Option<ListRequest>),
    Close,
    Chosen(S3Uri),
    Refused(Diagnostic),
}

impl Browser {
    pub(super) fn at(location: Location) -> (Self, ListRequest) {
        let (listing, request) = Listing::new(location);
        let above = Vec::new();
        (Self { listing, above }, request)
    }

    /// Opens the list that an input is in, with the cursor on it if it is one object.
    pub(super) fn on(input: &Input) -> (Self, ListRequest) {
        let object = match input {
            Input::Object(object) => object,
            Input::Objects { objects, .. } => &objects.as_slice()[0],
            Input::Pattern { pattern } => {
                return Self::at(Location::Folder {
                    bucket: pattern.bucket().to_owned(),
                    prefix: pattern.folder().to_owned(),
                });
            }
        };
        let (mut browser, request) = Self::at(Location::of(object));
        browser.listing.want(object.key());
        (browser, request)
    }

    /// Goes a level up where no list led here; returns the request for it, `None` at the top. So is a list that is shown
    /// in place of the one above.
    fn leave(&mut self) -> Option<ListRequest> {
        if self.listing.notice.is_some() {
            return None;
        }
        let (parent, key) = self.listing.location.parent()?;
        let (mut listing, request) = Listing::new(parent);
        listing.want(key);
        self.listing = listing;
        Some(request)
    }

    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    pub(super) fn act(&mut self, action: Action) -> Outcome {
        let request = match action {
            Action::Open => return self.open_selected(),
            Action::Back => return Outcome::Close,
            Action::GoUp if self.listing.is_narrowed() => self.listing.widen(),
            Action::GoUp => match self.above.pop() {
                Some(listing) => {
                    self.listing = listing;
                    None
                }
                None => match self.leave() {
                    Some(request) => Some(request),
                    None => return Outcome::Close,
                },
            },
            Action::Refresh => Some(self.listing.reload()),
            action => self.listing.act(action),
        };
        Outcome::Stay(request)
    }

    fn open_selected(&mut self) -> Outcome {
        let location = match self.listing.selected() {
            None => return Outcome::Stay(None),
            Some(Item::Object { key, size, .. }) => return self.choose(key, *size),
            Some(item) => self.listing.location.below(item),
        };
        let (listing, request) = Listing::new(location);
        let above = std::mem::replace(&mut self.listing, listing);
        self.above.push(above);
        Outcome::Stay(Some(request))
    }

    fn choose(&self, key: &str, size: u64) -> Outcome {
        let Location::Folder { bucket, .. } = &self.listing.location else {
            return Outcome::Stay(None);
        };
        match S3Uri::new(bucket, key) {
            Ok(uri) if size == 0 => Outcome::Refused(Diagnostic::new(
                format!("{uri} has 0 bytes: there is nothing to count"),
                "choose another object",
            )),
            Ok(uri) => Outcome::Chosen(uri),
            Err(error) => Outcome::Refused(Diagnostic::new(error.to_string(), "")),
        }
    }

    pub(super) fn filter_mut(&mut self) -> &mut String {
        &mut self.listing.filter
    }

    /// Returns what to ask S3 for once a filter is typed to its end.
    pub(super) fn filter_entered(&mut self) -> Option<ListRequest> {
        self.listing.look_further()
    }

    /// Takes an answer in, whichever list asked for it; one that no list waits for is dropped. May ask on: where the
    /// buckets can't be listed, `home` is opened instead.
    pub(super) fn take(
        &mut self,
        request: &ListRequest,
        answer: ListAnswer,
        home: Option<&str>,
    ) -> Option<ListRequest> {
        let is_denied = matches!(answer, ListAnswer::Denied(_));
        self.above
            .iter_mut()
            .chain([&mut self.listing])
            .find(|listing| listing.status.awaits(request))
            .map(|listing| listing.take(answer))?;
        let (Location::Buckets, Some(home)) = (&self.listing.location, home) else {
            return None;
        };
        self.listing.select(home);
        match &self.listing.status {
            Status::Failed(diagnostic) if is_denied && self.listing.items.is_empty() => {
                let notice = format!("{}; this is the configured bucket", diagnostic.cause);
                let (mut listing, request) = Listing::new(Location::bucket(home));
                listing.notice = Some(notice);
                self.listing = listing;
                Some(request)
            }
            _ => None,
        }
    }
}
