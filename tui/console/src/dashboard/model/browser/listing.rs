//! One list of the browser: what is loaded of it, what of that is shown, what to ask S3 for next.

use std::fmt;

use jiff::Timestamp;
use mrdeck_store::{Bucket, Entry, Page};

use crate::dashboard::model::action::Action;
use crate::dashboard::model::motion::moved;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::uri::S3Uri;
use mrdeck_engine::input::ObjectPattern;

/// Lines between the cursor and the end of what is loaded at which the next page is asked for.
const NEAR_THE_END: usize = 100;

/// What is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    Buckets,
    /// What is directly below a prefix; an empty one is the bucket itself.
    Folder {
        bucket: String,
        prefix: String,
    },
}

impl Location {
    pub fn bucket(name: &str) -> Self {
        Self::Folder {
            bucket: name.to_owned(),
            prefix: String::new(),
        }
    }

    /// Understands `s3://`, `s3://BUCKET` and `s3://BUCKET/PREFIX/`; anything else names no location.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        match (bucket, prefix) {
            ("", "") => Some(Self::Buckets),
            ("", _) => None,
            (bucket, _) if bucket.contains(char::is_whitespace) => None,
            (bucket, prefix) if prefix.is_empty() || prefix.ends_with('/') => Some(Self::Folder {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
            }),
            _ => None,
        }
    }

    /// Returns the location of a bucket or a prefix in this one.
    pub(super) fn below(&self, item: &Item) -> Self {
        match self {
            Self::Buckets => Self::bucket(item.key()),
            Self::Folder { bucket, .. } => Self::Folder {
                bucket: bucket.clone(),
                prefix: item.key().to_owned(),
            },
        }
    }

    fn prefix(&self) -> &str {
        match self {
            Self::Buckets => "",
            Self::Folder { prefix, .. } => prefix,
        }
    }

    /// Returns where an object is.
    pub(in crate::dashboard::model) fn of(object: &S3Uri) -> Self {
        let end = object.key().rfind('/').map_or(0, |slash| slash + 1);
        Self::Folder {
            bucket: object.bucket().to_owned(),
            prefix: object.key()[..end].to_owned(),
        }
    }

    /// Returns what this is directly below, and its own key there; `None` for the top.
    pub(super) fn parent(&self) -> Option<(Self, &str)> {
        match self {
            Self::Buckets => None,
            Self::Folder { bucket, prefix } if prefix.is_empty() => Some((Self::Buckets, bucket)),
            Self::Folder { bucket, prefix } => {
                let inner = prefix.strip_suffix('/').unwrap_or(prefix);
                let end = inner.rfind('/').map_or(0, |slash| slash + 1);
                let parent = Self::Folder {
                    bucket: bucket.clone(),
                    prefix: prefix[..end].to_owned(),
                };
                Some((parent, prefix))
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buckets => f.write_str("s3://"),
            Self::Folder { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Bucket {
        name: String,
        created: Option<Timestamp>,
    },
    Prefix(String),
    Object {
        key: String,
        size: u64,
        modified: Option<Timestamp>,
    },
}

impl Item {
    fn key(&self) -> &str {
        match self {
            Self::Bucket { name: key, .. } | Self::Prefix(key) | Self::Object { key, .. } => key,
        }
    }
}

impl From<Bucket> for Item {
    fn from(bucket: Bucket) -> Self {
        Self::Bucket {
            name: bucket.name,
            created: bucket.created,
        }
    }
}

impl From<Entry> for Item {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Prefix(key) => Self::Prefix(key),
            Entry::Object {
                key,
                size,
                modified,
            } => Self::Object {
                key,
                size,
                modified,
            },
        }
    }
}

/// A page to ask for. Equal requests have the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    pub location: Location,
    /// Only names that begin so.
    pub beginning: String,
    pub from: Option<String>,
}

/// What S3 answered.
#[derive(Debug, Clone)]
pub enum ListAnswer {
    Page(Page<Item>),
    /// These credentials may not see it.
    Denied(Diagnostic),
    Failed(Diagnostic),
}

#[derive(Debug, Clone)]
pub enum Status {
    Loading(ListRequest),
    Loaded,
    Failed(Diagnostic),
}

impl Status {
    pub(super) fn awaits(&self, request: &ListRequest) -> bool {
        matches!(self, Self::Loading(awaited) if awaited == request)
    }
}

#[derive(Debug, Clone)]
pub struct Listing {
    pub location: Location,
    /// S3 was asked only for names that begin so.
    pub beginning: String,
    /// What is loaded, in S3's order.
    pub items: Vec<Item>,
    /// The token to ask for the next page with, if there is one.
    pub next: Option<String>,
    pub status: Status,
    /// Only names with this text are shown; after `^`, only those that begin with it.
    pub filter: String,
    /// Why this list is shown instead of the one that was asked for.
    pub notice: Option<String>,
    /// Everything below a folder, offered above its entries once there are any.
    pub whole: Option<Whole>,
    /// The cursor is on what is offered.
    is_on_whole: bool,
    /// The key of the item that the cursor is to be on once it is loaded.
    wanted: Option<String>,
    cursor: usize,
}

/// How many objects are below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whole {
    Counting,
    Counted {
        objects: usize,
        bytes: u64,
    },
    /// More than a run can have.
    TooMany,
    /// More than are listed for it, or the list failed.
    Unknown,
}

impl Listing {
    pub(super) fn new(location: Location) -> (Self, ListRequest) {
        let request = ListRequest {
            location: location.clone(),
            beginning: String::new(),
            from: None,
        };
        let listing = Self {
            location,
            beginning: String::new(),
            items: Vec::new(),
            next: None,
            status: Status::Loading(request.clone()),
            filter: String::new(),
            notice: None,
            whole: None,
            is_on_whole: false,
            wanted: None,
            cursor: 0,
        };
        (listing, request)
    }

    /// Puts the cursor on this item once it is loaded, unless it is moved before.
    pub(super) fn want(&mut self, key: &str) {
        self.wanted = Some(key.to_owned());
    }

    /// Puts the cursor on everything below the folder, once that is offered.
    pub(super) fn want_whole(&mut self) {
        self.is_on_whole = true;
    }

    /// Returns the name of an item in this list.
    pub fn name<'i>(&self, item: &'i Item) -> &'i str {
        let key = item.key();
        key.strip_prefix(self.location.prefix()).unwrap_or(key)
    }

    /// Returns the items that the filter lets through.
    pub fn shown(&self) -> Vec<&Item> {
        let beginning = self.filter.strip_prefix('^');
        let part = self.filter.to_lowercase();
        self.items
            .iter()
            .filter(|item| match beginning {
                Some(beginning) => self.name(item).starts_with(beginning),
                None => part.is_empty() || self.name(item).to_lowercase().contains(&part),
            })
            .collect()
    }

    pub fn cursor(&self) -> usize {
        self.cursor.min(self.shown().len().saturating_sub(1))
    }

    /// Returns whether the cursor is on the line that offers everything below the folder.
    pub fn is_on_whole(&self) -> bool {
        self.is_on_whole && self.offers_whole()
    }

    /// A filter is about the entries: nothing else is offered then.
    pub fn offers_whole(&self) -> bool {
        self.whole.is_some() && !self.is_narrowed()
    }

    /// Returns what is below the folder and not counted yet, from now on being counted.
    pub(super) fn count_whole(&mut self) -> Option<ObjectPattern> {
        if self.whole.is_some() || self.items.is_empty() {
            return None;
        }
        let pattern = self.pattern()?;
        self.whole = Some(Whole::Counting);
        Some(pattern)
    }

    /// Returns everything below the folder; `None` for the buckets.
    pub(super) fn pattern(&self) -> Option<ObjectPattern> {
        match &self.location {
            Location::Buckets => None,
            Location::Folder { bucket, prefix } => ObjectPattern::below(bucket, prefix).ok(),
        }
    }

    pub(super) fn selected(&self) -> Option<&Item> {
        if self.is_on_whole() {
            return None;
        }
        self.shown()
            .get(self.cursor)
            .or(self.shown().last())
            .copied()
    }

    /// Puts the cursor on an item, unless it was moved already.
    pub(super) fn select(&mut self, key: &str) {
        if self.cursor == 0 {
            let found = self.shown().iter().position(|item| item.key() == key);
            self.cursor = found.unwrap_or(0);
        }
    }

    /// Moves the cursor; asks for the next page where the end is near.
    pub(super) fn act(&mut self, action: Action) -> Option<ListRequest> {
        let is_above = match action {
            Action::Up => self.cursor() == 0,
            Action::First => true,
            Action::Down if self.is_on_whole() => {
                self.is_on_whole = false;
                return None;
            }
            _ => false,
        };
        self.is_on_whole = is_above && self.offers_whole();
        let count = self.shown().len();
        let (before, last) = (self.cursor(), count.saturating_sub(1));
        self.cursor = moved(action, before, count)?;
        let is_forward = self.cursor > before || self.cursor == last;
        if is_forward && self.cursor + NEAR_THE_END >= count {
            self.more()
        } else {
            None
        }
    }

    fn more(&mut self) -> Option<ListRequest> {
        match self.status {
            Status::Loaded if self.next.is_some() => Some(self.ask()),
            _ => None,
        }
    }

    fn ask(&mut self) -> ListRequest {
        let request = ListRequest {
            location: self.location.clone(),
            beginning: self.beginning.clone(),
            from: self.next.clone(),
        };
        self.status = Status::Loading(request.clone());
        request
    }

    /// Loads the list again from its start; after a failure only the page that failed.
    pub(super) fn reload(&mut self) -> ListRequest {
        if !matches!(self.status, Status::Failed(_)) {
            self.items.clear();
            self.next = None;
            self.whole = None;
        }
        self.ask()
    }

    /// Has S3 look for the names that begin as a `^` filter says, where not all are loaded.
    pub(super) fn look_further(&mut self) -> Option<ListRequest> {
        let beginning = self.filter.strip_prefix('^')?.to_owned();
        let is_whole = self.next.is_none() && self.beginning.is_empty();
        if beginning.is_empty() || is_whole || self.location == Location::Buckets {
            return None;
        }
        Some(self.only(beginning))
    }

    pub(super) fn is_narrowed(&self) -> bool {
        !self.filter.is_empty() || !self.beginning.is_empty()
    }

    /// Drops what narrows the list: the filter first, then what S3 was asked for.
    pub(super) fn widen(&mut self) -> Option<ListRequest> {
        if self.filter.is_empty() {
            return Some(self.only(String::new()));
        }
        self.filter.clear();
        None
    }

    fn only(&mut self, beginning: String) -> ListRequest {
        self.beginning = beginning;
        self.filter.clear();
        self.items.clear();
        self.next = None;
        self.cursor = 0;
        self.ask()
    }

    pub(super) fn take(&mut self, answer: ListAnswer) {
        match answer {
            ListAnswer::Page(page) => {
                let prefix = self.location.prefix().to_owned();
                // The folder's own marker, an empty object of its name, is not in it.
                let in_it = |item: &Item| !matches!(item, Item::Object { key, size: 0, .. } if *key == prefix);
                self.items.extend(page.items.into_iter().filter(in_it));
                self.next = page.next;
                self.status = Status::Loaded;
                if let Some(wanted) = self.wanted.clone() {
                    self.select(&wanted);
                }
            }
            ListAnswer::Denied(diagnostic) | ListAnswer::Failed(diagnostic) => {
                self.status = Status::Failed(diagnostic);
            }
        }
    }
}
