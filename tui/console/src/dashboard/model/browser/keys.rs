//! What keys do in the browser, and what its lists' answers change.

use super::{Browser, ListRequest, Listed, Opened, Place};
use crate::dashboard::keymap::Action;
use crate::dashboard::model::log::Level as Tone;
use crate::dashboard::model::overlay::{Overlay, Purpose};
use crate::dashboard::model::panels::PAGE;
use crate::dashboard::model::{Effect, Link, State};
use crate::input::InputChoice;

fn list(request: impl IntoIterator<Item = ListRequest>) -> Vec<Effect> {
    request.into_iter().map(Effect::List).collect()
}

impl State {
    /// Opens the browser; without a cluster there is no S3 to look into, only a line to type.
    pub(in crate::dashboard::model) fn browse(&mut self, place: Place) -> Vec<Effect> {
        if !matches!(self.link, Link::Up(_)) {
            self.overlay = Some(Overlay::prompt(Purpose::Input, ""));
            return Vec::new();
        }
        let (browser, request) = Browser::at(place);
        self.browser = Some(browser);
        list([request])
    }

    pub(in crate::dashboard::model) fn browse_key(&mut self, action: Action) -> Vec<Effect> {
        let Some(browser) = &mut self.browser else {
            return Vec::new();
        };
        let level = &mut browser.level;
        match action {
            Action::Down => list(level.move_to(|at, _| at.saturating_add(1))),
            Action::Up => list(level.move_to(|at, _| at.saturating_sub(1))),
            Action::PageDown => list(level.move_to(|at, _| at.saturating_add(PAGE))),
            Action::PageUp => list(level.move_to(|at, _| at.saturating_sub(PAGE))),
            Action::First => list(level.move_to(|_, _| 0)),
            Action::Last => list(level.move_to(|_, count| count)),
            Action::Refresh => list([level.reload()]),
            Action::Open => self.open_selected(),
            Action::GoUp if level.is_narrowed() => list(level.widen()),
            Action::GoUp => {
                if !browser.go_up() {
                    self.browser = None;
                }
                Vec::new()
            }
            Action::Back => {
                self.browser = None;
                Vec::new()
            }
            Action::Filter => {
                self.overlay = Some(Overlay::prompt(Purpose::Filter, &level.filter));
                Vec::new()
            }
            Action::TypeInput => {
                self.overlay = Some(Overlay::prompt(Purpose::Input, ""));
                Vec::new()
            }
            Action::Command => {
                self.type_command();
                Vec::new()
            }
            Action::Help => {
                self.overlay = Some(Overlay::Help { scroll: 0 });
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn open_selected(&mut self) -> Vec<Effect> {
        let opened = self.browser.as_mut().map(Browser::open_selected);
        match opened {
            None | Some(Opened::Nothing) => Vec::new(),
            Some(Opened::Level(request)) => list([request]),
            Some(Opened::Object(uri)) => {
                self.choose_input(InputChoice::Object(uri));
                Vec::new()
            }
            Some(Opened::Refused(diagnostic)) => {
                self.flash(Tone::Warning, diagnostic.to_string());
                Vec::new()
            }
        }
    }

    /// A filter is typed to its end.
    pub(in crate::dashboard::model) fn filter_entered(&mut self) -> Vec<Effect> {
        let browser = self.browser.as_mut();
        list(browser.and_then(|browser| browser.level.look_further()))
    }

    pub(in crate::dashboard::model) fn listed(
        &mut self,
        request: &ListRequest,
        listed: Listed,
    ) -> Vec<Effect> {
        let home = match (&self.input, &self.link) {
            (_, Link::Up(info)) if info.bucket.is_some() => info.bucket.clone(),
            (Some(InputChoice::Object(uri)), _) => Some(uri.bucket().to_owned()),
            _ => None,
        };
        let browser = self.browser.as_mut();
        list(browser.and_then(|browser| browser.listed(request, listed, home.as_deref())))
    }

    /// What a filter that is typed narrows.
    pub(in crate::dashboard::model) fn filter_mut(&mut self) -> &mut String {
        match &mut self.browser {
            Some(browser) => &mut browser.level.filter,
            None => &mut self.filters[self.focus as usize],
        }
    }
}
