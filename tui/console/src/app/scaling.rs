//! `:scale` in the dashboard: planned, asked about if it ends tasks, done in the background, told as it goes.

use super::event_log::Level;
use super::overlay::Overlay;
use super::state::{Effect, Link, State};
use mrdeck_cluster::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest};
use mrdeck_core::diagnostic::{Diagnostic, read_only};

/// One at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scaling {
    Planning(ScaleRequest),
    /// To be asked about, once nothing else is open.
    Planned(ScalePlan),
    Asked,
    UnderWay,
}

impl State {
    pub(super) fn plan_scale(&mut self, wanted: ScaleRequest) -> Result<Vec<Effect>, Diagnostic> {
        if self.read_only {
            return Err(read_only("start or stop tasks"));
        }
        if !matches!(self.link, Link::Up(_)) {
            return Err(Diagnostic::new(
                "there is no cluster to scale now",
                "ctrl-r tries to reach it again",
            ));
        }
        if self.scaling.is_some() {
            return Err(Diagnostic::new(
                "tasks are being started or stopped already",
                "the events say how far that is",
            ));
        }
        let text = format!("looking what {} {}s would take", wanted.count, wanted.role);
        self.flash(Level::Info, text);
        self.scaling = Some(Scaling::Planning(wanted));
        Ok(vec![Effect::PlanScale(wanted)])
    }

    pub(super) fn scale_planned(&mut self, plan: Result<ScalePlan, Diagnostic>) -> Vec<Effect> {
        match plan {
            Err(diagnostic) => {
                self.scaling = None;
                self.log.add_diagnostic(self.now, Level::Error, &diagnostic);
                self.flash(Level::Error, diagnostic.to_string());
                Vec::new()
            }
            Ok(plan) if plan.stops() > 0 => {
                self.scaling = Some(Scaling::Planned(plan));
                Vec::new()
            }
            Ok(plan) => {
                self.scaling = Some(Scaling::UnderWay);
                vec![Effect::Scale(plan)]
            }
        }
    }

    /// A question never comes over something that is open: the next key could answer it by mistake.
    pub(super) fn ask_about_scaling(&mut self) {
        if self.overlay.is_none()
            && let Some(Scaling::Planned(plan)) = &self.scaling
        {
            self.overlay = Some(Overlay::ConfirmScale { plan: plan.clone() });
            self.scaling = Some(Scaling::Asked);
        }
    }

    pub(super) fn answer_scale(&mut self, plan: ScalePlan, is_yes: bool) -> Vec<Effect> {
        if is_yes {
            self.scaling = Some(Scaling::UnderWay);
            return vec![Effect::Scale(plan)];
        }
        self.scaling = None;
        let text = format!("the {}s are left as they are", plan.wanted.role);
        self.flash(Level::Info, text);
        Vec::new()
    }

    pub(super) fn scale_news(&mut self, news: &ScaleEvent) {
        let level = match news {
            ScaleEvent::Retrying { .. } => Level::Warning,
            _ => Level::Info,
        };
        self.log.add(self.now, level, news.to_string());
        self.flash(level, news.to_string());
    }

    pub(super) fn scaled(&mut self, scaled: &ScaleReport) {
        self.scaling = None;
        match scaled.summary() {
            Ok(text) => {
                self.log.add(self.now, Level::Good, text.clone());
                self.flash(Level::Good, text);
            }
            Err(diagnostic) => {
                self.log.add_diagnostic(self.now, Level::Error, &diagnostic);
                self.flash(Level::Error, diagnostic.to_string());
            }
        }
    }
}
