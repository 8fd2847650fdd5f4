//! The browser: buckets, then prefixes and objects, a page of each at a time.

mod listing;

use std::collections::BTreeMap;

pub use listing::{Item, ListAnswer, ListRequest, Listing, Location, Status, Whole};

use super::action::Action;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::uri::S3Uri;
use mrdeck_engine::input::{Input, ObjectList, ObjectPattern};

/// The list that is shown, and those that lead to it.
#[derive(Debug, Clone)]
pub struct Browser {
    listing: Listing,
    above: Vec<Listing>,
    /// Objects that are to be counted as one, by their keys, with their sizes; all in one bucket.
    marks: BTreeMap<S3Uri, u64>,
}

/// What came of a key.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The browser stays open, and may ask for a page.
    Stay(Option<ListRequest>),
    Close,
    Chosen(Input),
    Refused(Diagnostic),
}

impl Browser {
    pub(super) fn at(location: Location) -> (Self, ListRequest) {
        let (listing, request) = Listing::new(location);
        let browser = Self {
            listing,
            above: Vec::new(),
            marks: BTreeMap::new(),
        };
        (browser, request)
    }

    /// Opens a folder that was named, with the cursor on all that is below it.
    pub(super) fn on_whole(location: Location) -> (Self, ListRequest) {
        let (mut browser, request) = Self::at(location);
        browser.listing.want_whole();
        (browser, request)
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

    /// Returns the objects that are marked, with their sizes.
    pub fn marks(&self) -> &BTreeMap<S3Uri, u64> {
        &self.marks
    }

    /// Returns whether an item of the list is marked.
    pub fn is_marked(&self, item: &Item) -> bool {
        let (Item::Object { key, .. }, Location::Folder { bucket, .. }) =
            (item, &self.listing.location)
        else {
            return false;
        };
        S3Uri::new(bucket, key).is_ok_and(|uri| self.marks.contains_key(&uri))
    }

    pub(super) fn act(&mut self, action: Action) -> Outcome {
        let request = match action {
            Action::Open => return self.open_selected(),
            Action::Mark => match self.mark_selected() {
                Ok(()) => self.listing.act(Action::Down),
                Err(refused) => return Outcome::Refused(refused),
            },
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
        if self.listing.is_on_whole() {
            return self.choose_whole();
        }
        let location = match self.listing.selected() {
            None => return Outcome::Stay(None),
            Some(Item::Object { .. }) if !self.marks.is_empty() => return self.choose_marked(),
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
            Ok(uri) if size == 0 => Outcome::Refused(is_empty(&uri)),
            Ok(uri) => Outcome::Chosen(uri.into()),
            Err(error) => Outcome::Refused(Diagnostic::new(error.to_string(), "")),
        }
    }

    fn choose_marked(&self) -> Outcome {
        let mut marked = self.marks.keys().cloned();
        if let (Some(only), 1) = (marked.next(), self.marks.len()) {
            return Outcome::Chosen(only.into());
        }
        match ObjectList::new(self.marks.keys().cloned()) {
            Ok(objects) => Outcome::Chosen(Input::Objects {
                objects,
                directory: None,
            }),
            Err(error) => Outcome::Refused(Diagnostic::new(error.to_string(), "")),
        }
    }

    fn choose_whole(&self) -> Outcome {
        let Some(pattern) = self.listing.pattern() else {
            return Outcome::Stay(None);
        };
        match self.listing.whole {
            Some(Whole::TooMany) => Outcome::Refused(Diagnostic::new(
                format!("{pattern} has more objects than a run can have chunks"),
                "open a folder in it, or mark some with space",
            )),
            Some(Whole::Counted { bytes: 0, .. }) => Outcome::Refused(Diagnostic::new(
                format!("{pattern} has 0 bytes: there is nothing to count"),
                "choose another folder",
            )),
            _ => Outcome::Chosen(Input::Pattern { pattern }),
        }
    }

    /// Marks the object at the cursor, or takes its mark away.
    fn mark_selected(&mut self) -> Result<(), Diagnostic> {
        let (Some(Item::Object { key, size, .. }), Location::Folder { bucket, .. }) =
            (self.listing.selected(), &self.listing.location)
        else {
            let advice = "open a folder: its first line is all of it";
            return Err(Diagnostic::new("only objects are marked", advice));
        };
        let uri =
            S3Uri::new(bucket, key).map_err(|error| Diagnostic::new(error.to_string(), ""))?;
        if self.marks.remove(&uri).is_some() {
            return Ok(());
        }
        if *size == 0 {
            return Err(is_empty(&uri));
        }
        let elsewhere = self.marks.keys().find(|marked| marked.bucket() != bucket);
        if let Some(elsewhere) = elsewhere {
            let elsewhere = elsewhere.bucket();
            return Err(Diagnostic::new(
                format!("the marked objects are in s3://{elsewhere}/: one input is in one bucket"),
                "unmark them first",
            ));
        }
        self.marks.insert(uri, *size);
        Ok(())
    }

    /// Returns what the list offers as a whole and has not counted yet.
    pub(super) fn count_whole(&mut self) -> Option<ObjectPattern> {
        self.listing.count_whole()
    }

    /// Takes in how many objects are below a folder, wherever it was opened.
    pub(super) fn counted(&mut self, pattern: &ObjectPattern, whole: &Whole) {
        let lists = self.above.iter_mut().chain([&mut self.listing]);
        for listing in lists.filter(|listing| listing.whole == Some(Whole::Counting)) {
            if listing.pattern().as_ref() == Some(pattern) {
                listing.whole = Some(whole.clone());
            }
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

fn is_empty(uri: &S3Uri) -> Diagnostic {
    Diagnostic::new(
        format!("{uri} has 0 bytes: there is nothing to count"),
        "choose another object",
    )
}
