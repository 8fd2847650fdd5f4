//! The browser: buckets, or what is below a prefix, with sizes and dates.

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Table, Wrap};

use super::overlay::bordered;
use super::{Look, mark_line, text};
use crate::dashboard::model::{Browser, Item, Listing, Location, Status, Whole};

use mrdeck_core::api::MAX_CHUNKS;
use mrdeck_core::human::{bytes, plural, thousands};

/// `1023.9 KiB`
const SIZE_WIDTH: u16 = 10;
/// `2026-03-14 09:26`
const DATE_WIDTH: u16 = 16;
/// Between columns.
const GAP: u16 = 2;

pub fn draw(browser: &Browser, look: &Look, frame: &mut Frame, area: Rect) {
    let listing = browser.listing();
    let shown = listing.shown();
    let room = usize::from(area.width.saturating_sub(4));
    let mut block = bordered(look, &title(listing, room));
    if !listing.filter.is_empty() {
        let filter = text::elide(&listing.filter, 20);
        let found = format!(
            " /{filter}: {} of the loaded ",
            thousands(shown.len() as u64)
        );
        block = block.title_bottom(Line::styled(found, look.theme.warning));
    }
    let inside = block.inner(area);
    let whole: Vec<_> = whole_cells(listing, look).into_iter().collect();
    let [top, list] = Layout::vertical([
        Constraint::Length(note_height(listing)),
        Constraint::Fill(1),
    ])
    .areas(inside);
    let height = usize::from(list.height.saturating_sub(1)).saturating_sub(whole.len());
    let window = text::window(shown.len(), height, listing.cursor());
    if shown.len() > height {
        let count = thousands(shown.len() as u64);
        let part = format!(" {}–{} of {count} ", window.start + 1, window.end);
        block = block.title_bottom(Line::styled(part, look.theme.dim).right_aligned());
    }
    if !browser.marks().is_empty() {
        let size = browser.marks().values().sum();
        let marked = thousands(browser.marks().len() as u64);
        let text = format!(
            " {marked} marked, {}: Enter on an object chooses them ",
            bytes(size)
        );
        block = block.title_bottom(Line::styled(text, look.theme.active));
    }
    frame.render_widget(block, area);
    draw_notes(listing, look, frame, top);
    if shown.is_empty() {
        return super::draw_hint(look, frame, list, &hint(listing));
    }
    let width = usize::from(list.width.saturating_sub(SIZE_WIDTH + DATE_WIDTH + 2 * GAP));
    let visible = shown.get(window.clone()).unwrap_or_default();
    let entries = visible.iter().map(|item| cells(browser, look, item, width));
    let rows = whole.iter().cloned().chain(entries).map(Row::new);
    // S3 does not say how large a bucket is.
    let (size, date) = match listing.location {
        Location::Buckets => ("", "CREATED"),
        Location::Folder { .. } => ("SIZE", "LAST MODIFIED"),
    };
    let header = Row::new(["NAME".to_owned(), format!("{size:>10}"), date.to_owned()]);
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(SIZE_WIDTH),
        Constraint::Length(DATE_WIDTH),
    ];
    let table = Table::new(rows, widths)
        .column_spacing(GAP)
        .header(header.style(look.theme.dim));
    frame.render_widget(table, list);
    let lines = Rect {
        y: list.y.saturating_add(1),
        height: list.height.saturating_sub(1),
        ..list
    };
    let line = if listing.is_on_whole() {
        0
    } else {
        listing.cursor().saturating_sub(window.start) + whole.len()
    };
    mark_line(look, frame, lines, line);
}

/// Everything below the folder, as its first line.
fn whole_cells<'a>(listing: &Listing, look: &Look) -> Option<[Span<'a>; 3]> {
    let (text, size) = match listing.whole.as_ref().filter(|_| listing.offers_whole())? {
        Whole::Counting => ("all objects (counting …)".to_owned(), None),
        Whole::Counted { objects, bytes } => {
            let text = match objects {
                1 => "all: 1 object".to_owned(),
                _ => format!("all {}", plural(*objects as u64, "object")),
            };
            (text, Some(*bytes))
        }
        Whole::TooMany => {
            let most = thousands(u64::from(MAX_CHUNKS));
            (format!("all objects: more than the {most} of a run"), None)
        }
        Whole::Unknown => ("all objects".to_owned(), None),
    };
    let theme = &look.theme;
    let size = size.map_or(String::new(), bytes);
    Some([
        Span::styled(text, theme.good),
        Span::styled(format!("{size:>10}"), theme.text),
        Span::raw(""),
    ])
}

/// Where one is, and how much of it is loaded.
fn title(listing: &Listing, room: usize) -> String {
    let loaded = listing.items.len() as u64;
    let mut count = match listing.location {
        _ if loaded == 0 && !matches!(listing.status, Status::Loaded) => String::new(),
        Location::Buckets => plural(loaded, "bucket"),
        Location::Folder { .. } if loaded == 1 => "1 entry".to_owned(),
        Location::Folder { .. } => format!("{} entries", thousands(loaded)),
    };
    if listing.next.is_some() {
        count.push_str(" loaded, more in S3");
    }
    if matches!(listing.status, Status::Loading(_)) {
        let gap = if count.is_empty() { "" } else { " · " };
        count = format!("{count}{gap}loading …");
    }
    let place = match (&listing.location, listing.beginning.as_str()) {
        (Location::Buckets, _) => "Buckets".to_owned(),
        (place, "") => place.to_string(),
        (place, beginning) => format!("{place}{beginning}…"),
    };
    let place = text::elide(&place, room.saturating_sub(count.chars().count() + 5));
    if count.is_empty() {
        return place;
    }
    format!("{place} · {count}")
}

/// What an empty list says.
fn hint(listing: &Listing) -> String {
    match (&listing.status, &listing.location) {
        (Status::Loading(_), _) => "asking S3 …".to_owned(),
        (Status::Failed(_), _) => String::new(),
        (Status::Loaded, _) if !listing.filter.is_empty() => {
            "nothing loaded matches the filter (Esc clears it)".to_owned()
        }
        (Status::Loaded, Location::Buckets) => {
            "this account owns no buckets; press i to type s3://BUCKET/ of another account"
                .to_owned()
        }
        (Status::Loaded, place) => format!("no objects under {place}{}", listing.beginning),
    }
}

fn notes<'a>(listing: &'a Listing, look: &Look) -> Vec<Line<'a>> {
    let mut notes = Vec::new();
    let mut note = |text: String, style| {
        notes.push(Line::styled(text::elide_end(&text, usize::MAX), style));
    };
    if let Some(notice) = &listing.notice {
        note(notice.clone(), look.theme.warning);
    }
    if let Status::Failed(diagnostic) = &listing.status {
        note(format!("✗ {}", diagnostic.cause), look.theme.error);
        let advice = match diagnostic.advice.as_str() {
            "" => "press ctrl-r to try again".to_owned(),
            advice => format!("{advice}, then press ctrl-r"),
        };
        note(format!("  {advice}"), look.theme.text);
    }
    if listing.next.is_some() && !listing.filter.is_empty() {
        let more =
            "not everything is loaded: G loads more, /^TEXT asks S3 for names with that prefix";
        note(more.to_owned(), look.theme.dim);
    }
    notes
}

/// Each note may take two lines.
fn note_height(listing: &Listing) -> u16 {
    let failed = matches!(listing.status, Status::Failed(_));
    let narrowed = listing.next.is_some() && !listing.filter.is_empty();
    2 * u16::from(listing.notice.is_some()) + 4 * u16::from(failed) + u16::from(narrowed)
}

fn draw_notes(listing: &Listing, look: &Look, frame: &mut Frame, area: Rect) {
    let notes = Paragraph::new(notes(listing, look)).wrap(Wrap { trim: false });
    frame.render_widget(notes, area);
}

fn cells<'a>(browser: &Browser, look: &Look, item: &Item, width: usize) -> [Span<'a>; 3] {
    let theme = &look.theme;
    let name = browser.listing().name(item);
    let name = match (browser.marks().is_empty(), browser.is_marked(item)) {
        (true, _) => text::elide(name, width),
        (false, is_marked) => {
            let mark = if is_marked { "● " } else { "  " };
            format!("{mark}{}", text::elide(name, width.saturating_sub(2)))
        }
    };
    let (style, size, time) = match item {
        Item::Bucket { created, .. } => (theme.active, String::new(), *created),
        Item::Prefix(_) => (theme.active, "-".to_owned(), None),
        Item::Object {
            size: 0, modified, ..
        } => (theme.dim, bytes(0), *modified),
        Item::Object { size, modified, .. } => (theme.text, bytes(*size), *modified),
    };
    let time = time.map_or("-".to_owned(), |at| date(at, &look.timezone));
    [
        Span::styled(name, style),
        Span::styled(format!("{size:>10}"), theme.text),
        Span::styled(time, theme.dim),
    ]
}

fn date(at: jiff::Timestamp, timezone: &TimeZone) -> String {
    let at = at.to_zoned(timezone.clone());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}
