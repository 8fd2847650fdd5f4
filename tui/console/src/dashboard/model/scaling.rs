//! `:scale`: planned, asked about if it stops tasks, then done in the background. One at a time.

use super::feedback::Feedback;
use super::log::Level;
use super::message::Effect;
use mrdeck_cluster::{ScaleEvent, ScalePlan, ScaleReport, ScaleRequest};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::plural;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Scaling {
    #[default]
    Idle,
    Planning,
    /// To be asked about, once nothing else is open.
    Planned(ScalePlan),
    Asked,
    UnderWay,
}

impl Scaling {
    /// Checks that a switch would leave nothing behind.
    pub(super) fn permit_switch(&self) -> Result<(), Diagnostic> {
        if *self == Self::Idle {
            return Ok(());
        }
        Err(Diagnostic::new(
            "tasks are being started or stopped",
            "switch when that is done; the events show its progress",
        ))
    }

    /// Asks for the plan that a request needs.
    pub(super) fn plan(
        &mut self,
        request: ScaleRequest,
        is_up: bool,
        feedback: &mut Feedback,
    ) -> Result<Effect, Diagnostic> {
        if !is_up {
            return Err(Diagnostic::new(
                "not connected to a cluster",
                "press ctrl-r to reconnect",
            ));
        }
        if *self != Self::Idle {
            return Err(Diagnostic::new(
                "tasks are already being started or stopped",
                "the events show its progress",
            ));
        }
        let text = format!(
            "checking what scaling to {} takes",
            plural(request.count.into(), request.role.as_str())
        );
        feedback.show(Level::Info, text);
        *self = Self::Planning;
        Ok(Effect::PlanScale(request))
    }

    /// Does at once what stops no task.
    pub(super) fn planned(
        &mut self,
        plan: Result<ScalePlan, Diagnostic>,
        feedback: &mut Feedback,
    ) -> Option<Effect> {
        match plan {
            Err(diagnostic) => {
                *self = Self::Idle;
                feedback.announce_diagnostic(Level::Error, &diagnostic);
                None
            }
            Ok(plan) if plan.stops() > 0 => {
                *self = Self::Planned(plan);
                None
            }
            Ok(plan) => {
                *self = Self::UnderWay;
                Some(Effect::Scale(plan))
            }
        }
    }

    /// Returns the plan that is to be asked about now.
    pub(super) fn question(&mut self) -> Option<ScalePlan> {
        match std::mem::take(self) {
            Self::Planned(plan) => {
                *self = Self::Asked;
                Some(plan)
            }
            other => {
                *self = other;
                None
            }
        }
    }

    pub(super) fn answered(
        &mut self,
        plan: ScalePlan,
        is_yes: bool,
        feedback: &mut Feedback,
    ) -> Option<Effect> {
        if is_yes {
            *self = Self::UnderWay;
            return Some(Effect::Scale(plan));
        }
        *self = Self::Idle;
        let text = format!("the {}s stay as they are", plan.wanted.role);
        feedback.show(Level::Info, text);
        None
    }

    pub(super) fn ended(&mut self, report: &ScaleReport, feedback: &mut Feedback) {
        *self = Self::Idle;
        match report.summary() {
            Ok(text) => feedback.announce(Level::Good, text),
            Err(diagnostic) => feedback.announce_diagnostic(Level::Error, &diagnostic),
        }
    }
}

/// Says how far scaling is.
pub(super) fn announce(event: &ScaleEvent, feedback: &mut Feedback) {
    let level = match event {
        ScaleEvent::Retrying { .. } => Level::Warning,
        _ => Level::Info,
    };
    feedback.announce(level, event.to_string());
}
