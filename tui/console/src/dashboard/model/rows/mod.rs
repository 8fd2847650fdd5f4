//! The rows of each panel, after its filter. Drawing, the cursor and the keys all read them here.

mod events;
mod pipeline;
mod results;
mod tasks;

pub use self::pipeline::{PipelineRow, status_word};

use std::cell::OnceCell;

use super::log::LogLine;
use super::{Model, Panel};
use mrdeck_core::task::Task;

/// The rows of one panel, and the one that is selected.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    items: Vec<T>,
    cursor: usize,
}

impl<T> Rows<T> {
    fn new(model: &Model, panel: Panel, items: Vec<T>) -> Self {
        let last = items.len().saturating_sub(1);
        let cursor = model.panels.cursor(panel).min(last);
        Self { items, cursor }
    }

    /// Puts the cursor where the chosen row is now, if it is anywhere.
    fn at(mut self, chosen: Option<usize>) -> Self {
        self.cursor = chosen.unwrap_or(self.cursor);
        self
    }

    pub fn all(&self) -> &[T] {
        &self.items
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn selected(&self) -> Option<&T> {
        self.items.get(self.cursor)
    }
}

pub(super) fn tasks(model: &Model) -> Rows<&Task> {
    let rows = Rows::new(model, Panel::Tasks, tasks::rows(model));
    let chosen = model.panels.chosen_task();
    let at = chosen.and_then(|chosen| rows.items.iter().position(|task| task.id == *chosen));
    rows.at(at)
}

/// The rows of all panels at one moment, each panel's computed once, when it is first asked for.
#[derive(Debug)]
pub struct PanelRows<'m> {
    model: &'m Model,
    tasks: OnceCell<Rows<&'m Task>>,
    pipeline: OnceCell<Rows<PipelineRow>>,
    results: OnceCell<Rows<&'m (String, u64)>>,
    events: OnceCell<Rows<&'m LogLine>>,
}

impl<'m> PanelRows<'m> {
    pub(super) fn new(model: &'m Model) -> Self {
        Self {
            model,
            tasks: OnceCell::new(),
            pipeline: OnceCell::new(),
            results: OnceCell::new(),
            events: OnceCell::new(),
        }
    }

    /// Returns how many stopped tasks are no rows, because one line stands for all of them.
    pub fn folded_tasks(&self) -> usize {
        tasks::folded(self.model)
    }

    pub fn tasks(&self) -> &Rows<&'m Task> {
        self.tasks.get_or_init(|| tasks(self.model))
    }

    pub fn pipeline(&self) -> &Rows<PipelineRow> {
        let rows = || {
            let rows = Rows::new(self.model, Panel::Pipeline, pipeline::rows(self.model));
            let chosen = self.model.panels.chosen_work();
            let at = chosen.and_then(|chosen| rows.items.iter().position(|row| *row == chosen));
            rows.at(at)
        };
        self.pipeline.get_or_init(rows)
    }

    pub fn results(&self) -> &Rows<&'m (String, u64)> {
        let rows = || Rows::new(self.model, Panel::Results, results::rows(self.model));
        self.results.get_or_init(rows)
    }

    pub fn events(&self) -> &Rows<&'m LogLine> {
        let rows = || Rows::new(self.model, Panel::Events, events::rows(self.model));
        self.events.get_or_init(rows)
    }

    /// Returns how many rows a panel has, and which of them is selected.
    pub fn extent(&self, panel: Panel) -> (usize, usize) {
        fn of<T>(rows: &Rows<T>) -> (usize, usize) {
            (rows.len(), rows.cursor())
        }
        match panel {
            Panel::Tasks => of(self.tasks()),
            Panel::Pipeline => of(self.pipeline()),
            // It has no lines to go through.
            Panel::Latency => (0, 0),
            Panel::Results => of(self.results()),
            Panel::Events => of(self.events()),
        }
    }

    /// Returns what the keys act on: the selected row of the panel with the focus.
    pub fn selected(&self) -> Selected<'m> {
        let selected = match self.model.panels.focus() {
            Panel::Tasks => self.tasks().selected().map(|task| Selected::Task(task)),
            Panel::Pipeline => self.pipeline().selected().copied().map(Selected::Work),
            Panel::Events => self.events().selected().map(|line| Selected::Event(line)),
            Panel::Latency | Panel::Results => None,
        };
        selected.unwrap_or(Selected::Nothing)
    }
}

/// What the keys act on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Selected<'m> {
    Task(&'m Task),
    Work(PipelineRow),
    Event(&'m LogLine),
    Nothing,
}
