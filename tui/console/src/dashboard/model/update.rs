//! What each message changes: takes it to the part of the model that it concerns, and gives what is to be done.

use crossterm::event::KeyEvent;
use jiff::Timestamp;

use super::action::{Action, Mode};
use super::browser::{Browser, ListAnswer, ListRequest, Location, Outcome};
use super::command::{self, Command};
use super::completion;
use super::log::Level;
use super::message::{Effect, Msg};
use super::motion::moved;
use super::overlay::{Overlay, Subject};
use super::prompt::{Prompt, Purpose, Typed};
use super::rows::{PipelineRow, Selected};
use super::scaling;
use super::session::{LinkInfo, Switch};
use super::{Axis, Model, Panel};
use crate::input::InputChoice;
use mrdeck_core::diagnostic::Diagnostic;

impl Model {
    /// Takes a message in; returns what is to be done about it.
    pub fn update(&mut self, msg: Msg, now: Timestamp) -> Vec<Effect> {
        self.now = now;
        self.feedback.set_time(now);
        let effects = self.take(msg);
        self.ask();
        effects
    }

    fn take(&mut self, msg: Msg) -> Vec<Effect> {
        let feedback = &mut self.feedback;
        match msg {
            Msg::Act(action) => return self.act(action),
            Msg::Read { action, limit } => return self.read(action, limit),
            Msg::Refused(level, reason) => self.refused(level, reason),
            Msg::Type(key) => return self.typed(&key),
            Msg::Paste(text) => return self.paste(&text),
            Msg::Resized | Msg::Tick => {}
            Msg::Linked(info) => self.linked(info),
            Msg::LinkLost {
                diagnostic,
                is_retried,
            } => self.session.link_lost(diagnostic, is_retried, feedback),
            Msg::Tasks(list) => {
                // What is selected stays so, wherever it is in the new list.
                let selected = self.selected_task().map(|task| task.id.clone());
                self.panels.choose_task(selected);
                self.session.take_tasks(list, &mut self.feedback);
            }
            Msg::Process(news) => self.session.take_process_news(&news, feedback),
            Msg::Unfinished(record) => self.run.offer(*record, self.now, feedback),
            Msg::Run(event) => {
                let is_new = self.run.take_event(&event, feedback);
                if is_new {
                    self.panels.reset_cursor(Panel::Pipeline);
                    self.panels.reset_cursor(Panel::Results);
                }
            }
            Msg::RunEnded => self.run.ended(feedback),
            Msg::StartFailed(diagnostic) => self.run.start_failed(&diagnostic, feedback),
            Msg::Uploading(progress) => self.run.uploading(progress, self.now),
            Msg::Converted(note) => feedback.log_text(Level::Info, note),
            Msg::ChartWritten(Ok(path)) => {
                let text = format!("chart written to {}", path.display());
                feedback.announce(Level::Good, text);
            }
            Msg::TaskStopped(task, Ok(())) => {
                feedback.log_text(Level::Info, format!("stopping {task}"));
            }
            Msg::ChartWritten(Err(diagnostic)) | Msg::TaskStopped(_, Err(diagnostic)) => {
                feedback.announce_diagnostic(Level::Error, &diagnostic);
            }
            Msg::ScalePlanned(plan) => return effects(self.scaling.planned(plan, feedback)),
            Msg::ScaleEvent(event) => scaling::announce(&event, feedback),
            Msg::Scaled(report) => self.scaling.ended(&report, feedback),
            Msg::OldFound(found) => self.cleaning.found(found, feedback),
            Msg::OldRemoved(bucket, removed) => self.cleaning.ended(&bucket, removed, feedback),
            Msg::Named(places, names) => self.session.names_mut().found_names(places, names),
            Msg::Logs(task, result) => {
                if let Some(overlay) = &mut self.overlay {
                    overlay.take_logs(&task, result);
                }
            }
            Msg::Copied(text, clipboard) => feedback.copied(&text, &clipboard),
            Msg::NotCopied(diagnostic) => feedback.show(Level::Error, diagnostic.to_string()),
            Msg::Listed(request, answer) => return self.listed(&request, answer),
            Msg::Counted(pattern, whole) => {
                if let Some(browser) = &mut self.browser {
                    browser.counted(&pattern, &whole);
                }
            }
            Msg::Completed(completion) => {
                if let Some(Overlay::Prompt(prompt)) = &mut self.overlay {
                    prompt.path_completed(completion);
                }
            }
        }
        Vec::new()
    }

    fn linked(&mut self, info: LinkInfo) {
        let default_input = info.default_input.clone();
        self.next_run
            .set_default(default_input.map(InputChoice::from));
        self.session.linked(info, &mut self.feedback);
    }

    /// A question never comes over something that is open: the next key could answer it by mistake.
    fn ask(&mut self) {
        if self.overlay.is_none()
            && let Some(plan) = self.scaling.question()
        {
            self.overlay = Some(Overlay::ConfirmScale { plan });
        }
        if self.overlay.is_none()
            && let Some(found) = self.cleaning.question()
        {
            self.overlay = Some(Overlay::ConfirmClean { found });
        }
    }

    // ---- keys ----

    /// Says why a key did nothing: where a line is typed it has the status line's place.
    fn refused(&mut self, level: Level, reason: String) {
        match &mut self.overlay {
            Some(Overlay::Prompt(prompt)) => prompt.refuse(Diagnostic::new(reason, "")),
            _ => self.feedback.show(level, reason),
        }
    }

    fn act(&mut self, action: Action) -> Vec<Effect> {
        match self.mode() {
            _ if action == Action::QuitNow => vec![Effect::Quit],
            _ if action == Action::Suspend => vec![Effect::Suspend],
            Mode::Asking => self.answer(action),
            // A page is scrolled by `Msg::Read`, and a line is typed by `Msg::Type`.
            Mode::Reading | Mode::Typing => Vec::new(),
            Mode::Panels | Mode::Browsing => {
                self.feedback.clear_status();
                self.act_on_lists(action)
            }
        }
    }

    /// What the keys do that the panels and the browser share.
    fn act_on_lists(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Filter => {
                let filter = self.filter_mut().clone();
                self.open(Prompt::new(Purpose::Filter, &filter));
            }
            Action::Command => {
                self.session.names_mut().ask_again();
                self.open(Prompt::new(Purpose::Command, ""));
            }
            Action::TypeInput => self.open(Prompt::new(Purpose::Input, "")),
            Action::Help => self.overlay = Some(Overlay::help()),
            action => {
                return match self.browser.as_mut().map(|browser| browser.act(action)) {
                    Some(outcome) => self.browsed(outcome),
                    None => self.act_on_panels(action),
                };
            }
        }
        Vec::new()
    }

    fn act_on_panels(&mut self, action: Action) -> Vec<Effect> {
        let is_run = action.is_run();
        if let Some(Err(diagnostic)) = is_run.then(|| self.cleaning.permit("start the run")) {
            self.feedback.show(Level::Warning, diagnostic.to_string());
            return Vec::new();
        }
        let effect = match action {
            Action::Start => return self.start(),
            Action::ChooseInput => return self.browse(None),
            Action::Quit => return self.quit(),
            Action::Resume => self.run.go_on(Effect::Resume),
            Action::Verify => self.run.go_on(Effect::Verify),
            Action::RunAgain => self.run.again(&self.next_run),
            Action::Cancel => Some(self.run.cancel(&mut self.feedback)),
            Action::ExportChart => self.run.export(&mut self.feedback),
            Action::Refresh => self.session.refresh(),
            Action::Logs => self.open_logs(),
            Action::Copy => {
                let selected = self.rows().selected();
                self.copy_text(&selected).map(Effect::Copy)
            }
            action => {
                self.move_about(action);
                None
            }
        };
        effects(effect)
    }

    /// What only the screen shows of a key.
    fn move_about(&mut self, action: Action) {
        match action {
            Action::NextPanel => self.panels.focus_next(),
            Action::Focus(panel) => self.panels.focus_on(panel),
            Action::PreviousPanel => self.panels.focus_previous(),
            Action::Open => self.panels.toggle_zoom(),
            Action::Back => self.panels.back(),
            Action::Describe => {
                let subject = match self.rows().selected() {
                    Selected::Task(task) => Some(Subject::Task(task.id.clone())),
                    Selected::Work(row) => Some(Subject::Row(row)),
                    Selected::Event(_) | Selected::Nothing => None,
                };
                self.overlay = subject.map(Overlay::describe);
            }
            Action::StopTask => {
                let task = self.selected_task().map(|task| task.id.clone());
                self.overlay = task.map(|task| Overlay::ConfirmStop { task });
            }
            Action::ZoomIn
            | Action::ZoomOut
            | Action::PanLeft
            | Action::PanRight
            | Action::Follow
            | Action::ToggleTimeline => {
                let run = self.run.record();
                let axis = run.and_then(|run| Axis::of(run, self.now));
                let whole = axis.map_or(0.0, |axis| axis.whole_ms);
                self.timeline.act(action, whole);
            }
            Action::NextChunk => self.step_chunk(1),
            Action::PreviousChunk => self.step_chunk(-1),
            action => {
                let rows = self.rows();
                let (count, at) = rows.extent(self.panels.focus());
                let work = moved(action, at, count)
                    .filter(|to| *to > 0)
                    .and_then(|to| rows.pipeline().all().get(to).copied());
                let task = moved(action, at, count)
                    .and_then(|to| rows.tasks().all().get(to))
                    .map(|task| task.id.clone());
                match self.panels.focus() {
                    Panel::Pipeline => self.panels.choose_work(work),
                    Panel::Tasks => self.panels.choose_task(task),
                    Panel::Latency | Panel::Results | Panel::Events => {}
                }
                self.panels.move_cursor(action, at, count);
            }
        }
    }

    /// Goes from the chosen chunk to another one, in the order in which the heat map has them.
    fn step_chunk(&mut self, by: isize) {
        let chunks = self.run.record().map_or(0, |run| run.chunks.len());
        let rows = self.rows();
        let at = match rows.pipeline().selected() {
            Some(PipelineRow::Chunk(index)) => index.saturating_add_signed(by),
            _ => 0,
        };
        let chosen = PipelineRow::Chunk(at.min(chunks.saturating_sub(1)));
        if rows.pipeline().all().contains(&chosen) {
            self.panels.choose_work(Some(chosen));
        }
    }

    fn open_logs(&mut self) -> Option<Effect> {
        let task = self.selected_task()?.id.clone();
        self.overlay = Some(Overlay::logs(task.clone()));
        Some(Effect::FetchLogs(task))
    }

    /// Starts a run over the chosen input; without one it is chosen first.
    fn start(&mut self) -> Vec<Effect> {
        let Some(effect) = self.next_run.start(&mut self.feedback) else {
            return self.browse(None);
        };
        self.run.prepare();
        vec![effect]
    }

    /// Quits; amid a run only once that is confirmed.
    fn quit(&mut self) -> Vec<Effect> {
        if !self.run.is_under_way() {
            return vec![Effect::Quit];
        }
        self.overlay = Some(Overlay::ConfirmQuit);
        Vec::new()
    }

    fn answer(&mut self, action: Action) -> Vec<Effect> {
        let is_yes = action == Action::Confirm;
        effects(match self.overlay.take() {
            Some(Overlay::ConfirmQuit) if is_yes => Some(Effect::Quit),
            Some(Overlay::ConfirmStop { task }) if is_yes => Some(Effect::StopTask(task)),
            Some(Overlay::ConfirmScale { plan }) => {
                self.scaling.answered(plan, is_yes, &mut self.feedback)
            }
            Some(Overlay::ConfirmClean { found }) => {
                // A run may have begun while it was looked for.
                let is_yes = is_yes && self.run.permit_clean().is_ok();
                self.cleaning.answered(found, is_yes, &mut self.feedback)
            }
            _ => None,
        })
    }

    fn read(&mut self, action: Action, limit: usize) -> Vec<Effect> {
        match (action, &mut self.overlay) {
            (Action::Back, overlay) => *overlay = None,
            // What is shown stays until the newer lines are there.
            (Action::Refresh, Some(Overlay::Logs { task, .. })) => {
                return vec![Effect::FetchLogs(task.clone())];
            }
            (action, overlay) => {
                if let Some(scroll) = overlay.as_mut().and_then(Overlay::scroll_mut) {
                    scroll.act(action, limit);
                }
            }
        }
        Vec::new()
    }

    // ---- the browser ----

    /// Opens the browser, where nothing else is said at the chosen input. Without a cluster there is no S3 to look into,
    /// only a line to type.
    fn browse(&mut self, location: Option<Location>) -> Vec<Effect> {
        if !self.session.is_up() {
            self.open(Prompt::new(Purpose::Input, ""));
            return Vec::new();
        }
        let (browser, request) = match (location, self.next_run.chosen_input()) {
            (Some(location), _) => match &location {
                Location::Folder { prefix, .. } if !prefix.is_empty() => {
                    Browser::on_whole(location)
                }
                _ => Browser::at(location),
            },
            (None, Some(InputChoice::S3(input))) => Browser::on(input),
            (None, _) => Browser::at(Location::Buckets),
        };
        self.browser = Some(browser);
        vec![Effect::List(request)]
    }

    fn browsed(&mut self, outcome: Outcome) -> Vec<Effect> {
        match outcome {
            Outcome::Stay(request) => return effects(request.map(Effect::List)),
            Outcome::Close => self.browser = None,
            Outcome::Chosen(input) => self.choose_input(InputChoice::S3(input)),
            Outcome::Refused(diagnostic) => {
                self.feedback.show(Level::Warning, diagnostic.to_string());
            }
        }
        Vec::new()
    }

    fn listed(&mut self, request: &ListRequest, answer: ListAnswer) -> Vec<Effect> {
        let home = match (self.session.bucket(), self.next_run.input()) {
            (Some(bucket), _) => Some(bucket),
            (None, Some(input)) => input.bucket(),
            (None, None) => None,
        };
        let Some(browser) = self.browser.as_mut() else {
            return Vec::new();
        };
        let request = browser.take(request, answer, home).map(Effect::List);
        let count = browser.count_whole().map(Effect::CountObjects);
        request.into_iter().chain(count).collect()
    }

    fn choose_input(&mut self, input: InputChoice) {
        self.browser = None;
        self.next_run.choose(input, &mut self.feedback);
    }

    // ---- a line being typed ----

    fn open(&mut self, prompt: Prompt) {
        self.overlay = Some(Overlay::Prompt(prompt));
    }

    /// The filter that a typed one replaces.
    fn filter_mut(&mut self) -> &mut String {
        match &mut self.browser {
            Some(browser) => browser.filter_mut(),
            None => self.panels.filter_mut(),
        }
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        let Some(Overlay::Prompt(prompt)) = &mut self.overlay else {
            return Vec::new();
        };
        prompt.paste(text);
        self.line_changed()
    }

    fn typed(&mut self, key: &KeyEvent) -> Vec<Effect> {
        let Some(Overlay::Prompt(prompt)) = &mut self.overlay else {
            return Vec::new();
        };
        match prompt.type_key(key, self.session.names()) {
            Typed::Nothing => Vec::new(),
            Typed::Changed | Typed::Completed => self.line_changed(),
            Typed::AskPath(path) => vec![Effect::Complete(path)],
            Typed::Entered => self.line_entered(),
            Typed::Cancelled => {
                let purpose = prompt.purpose();
                self.overlay = None;
                if purpose == Purpose::Filter {
                    self.filter_mut().clear();
                }
                Vec::new()
            }
        }
    }

    /// A filter shows what it does while it is typed; a command, what it could become.
    fn line_changed(&mut self) -> Vec<Effect> {
        let Some(Overlay::Prompt(prompt)) = &self.overlay else {
            return Vec::new();
        };
        match prompt.purpose() {
            Purpose::Input => Vec::new(),
            Purpose::Filter => {
                let filter = prompt.line().to_owned();
                *self.filter_mut() = filter;
                Vec::new()
            }
            Purpose::Command => {
                let names = self.session.names_mut();
                let wanted = completion::places(prompt.line()).filter(|places| names.ask(*places));
                effects(wanted.map(Effect::LookUp))
            }
        }
    }

    fn line_entered(&mut self) -> Vec<Effect> {
        // Taken off, since a command may open something in its place.
        let Some(Overlay::Prompt(mut prompt)) = self.overlay.take() else {
            return Vec::new();
        };
        let line = prompt.line();
        let command = match prompt.purpose() {
            Purpose::Filter => {
                line.clone_into(self.filter_mut());
                let request = self.browser.as_mut().and_then(Browser::filter_entered);
                return effects(request.map(Effect::List));
            }
            Purpose::Command if line.trim().is_empty() => return Vec::new(),
            Purpose::Command => command::parse(line),
            Purpose::Input => command::parse_input(line),
        };
        match command.and_then(|command| self.command(command)) {
            Ok(effects) => effects,
            Err(diagnostic) => {
                prompt.refuse(diagnostic);
                self.open(prompt);
                Vec::new()
            }
        }
    }

    fn command(&mut self, command: Command) -> Result<Vec<Effect>, Diagnostic> {
        if let Some(change) = command.change() {
            self.access.permit(change)?;
        }
        let feedback = &mut self.feedback;
        match command {
            Command::Browse(location) => return Ok(self.browse(location)),
            Command::Input(input) => self.choose_input(input),
            Command::Chunks(chunks) => self.next_run.set_chunks(chunks, feedback),
            Command::Split(split) => self.next_run.set_split(split, feedback),
            Command::Verify(verify) => self.next_run.set_verify(verify, feedback),
            Command::AsBytes(as_bytes) => self.next_run.set_as_bytes(as_bytes, feedback),
            Command::Scale(request) => {
                let plan = self.scaling.plan(request, self.session.is_up(), feedback);
                return plan.map(|effect| vec![effect]);
            }
            Command::Switch(switch) => return self.switch(switch),
            Command::Clean => {
                self.run.permit_clean()?;
                let look = self.cleaning.look(self.session.is_up(), feedback);
                return look.map(|effect| vec![effect]);
            }
            Command::Export => return Ok(effects(self.run.export(feedback))),
            Command::Help => self.overlay = Some(Overlay::help()),
            Command::Quit => return Ok(self.quit()),
        }
        Ok(Vec::new())
    }

    /// Goes to another cluster. The run stays on screen: its record holds wherever it is shown.
    fn switch(&mut self, switch: Switch) -> Result<Vec<Effect>, Diagnostic> {
        let target = self.session.target().switched(&switch)?;
        self.run.permit_switch()?;
        self.scaling.permit_switch()?;
        self.cleaning.permit("switch")?;
        self.session.switch(&switch, target, &mut self.feedback);
        // It shows the S3 that is left.
        self.browser = None;
        self.panels.reset_cursor(Panel::Tasks);
        Ok(vec![Effect::Switch(switch)])
    }
}

fn effects(effect: Option<Effect>) -> Vec<Effect> {
    effect.into_iter().collect()
}
