//! Whether all invocations of a workgroup reach every barrier.
//!
//! naga accepts a barrier that some invocations never reach
//! (<https://github.com/gfx-rs/wgpu/issues/4369>), and the consequences differ between drivers. So
//! kernels follow a rule that needs no analysis: barriers are only in `main`, outside of branches,
//! and nothing returns before them. A loop around a barrier must end by a condition that is the
//! same for all invocations; reviewers have to check this.
//!
//! Microsoft's FXC has a stricter rule (X3663), one part of which is checked here: the counter of a
//! loop around a barrier must not bound an inner loop, because FXC then assumes that the counter
//! differs between invocations.

use naga::{Block, Expression, Function, Handle, LocalVariable, Statement};

use super::loops::conditions;
use super::parse::{Parsed, children};

/// Every violation of the rules, as a message.
pub fn complaints(parsed: &Parsed) -> Vec<String> {
    let mut complaints = Vec::new();
    for (_, function) in parsed.module.functions.iter() {
        if has_barrier(&function.body) {
            let name = function.name.as_deref().unwrap_or("(no name)");
            complaints.push(format!("a barrier in the function {name}, not in `main`"));
        }
    }
    if let Some(main) = parsed.main() {
        let mut walk = Walk { returned: false, complaints };
        walk.block(&main.function.body, false);
        complaints = walk.complaints;
        complaints.extend(shared_counters(&main.function, &main.function.body, &[]));
    }
    complaints
}

/// Loops without a barrier that are bounded by one of `counters`, or by the counter of a loop
/// around a barrier in this block.
fn shared_counters(function: &Function, block: &Block, counters: &[Handle<LocalVariable>]) -> Vec<String> {
    let mut complaints = Vec::new();
    for statement in block {
        let mut counters = counters.to_vec();
        if let Statement::Loop { body, continuing, break_if } = statement {
            let compared: Vec<_> = conditions(body, continuing, *break_if)
                .into_iter()
                .flat_map(|condition| variables(function, condition))
                .collect();
            if has_barrier(body) || has_barrier(continuing) {
                counters.extend(compared);
            } else if compared.iter().any(|variable| counters.contains(variable)) {
                complaints.push("the counter of a loop around a barrier bounds a loop within".into());
            }
        }
        for child in children(statement) {
            complaints.extend(shared_counters(function, child, &counters));
        }
    }
    complaints
}

/// The local variables in a comparison.
fn variables(function: &Function, value: Handle<Expression>) -> Vec<Handle<LocalVariable>> {
    match function.expressions[value] {
        Expression::LocalVariable(variable) => vec![variable],
        Expression::Load { pointer: part } | Expression::Unary { expr: part, .. } => {
            variables(function, part)
        }
        Expression::Binary { left, right, .. } => {
            [left, right].into_iter().flat_map(|side| variables(function, side)).collect()
        }
        _ => Vec::new(),
    }
}

fn is_barrier(statement: &Statement) -> bool {
    matches!(statement, Statement::ControlBarrier(_) | Statement::WorkGroupUniformLoad { .. })
}

fn has_barrier(block: &Block) -> bool {
    block.iter().any(|statement| is_barrier(statement) || children(statement).into_iter().any(has_barrier))
}

struct Walk {
    /// Whether some invocation may already have returned.
    returned: bool,
    complaints: Vec<String>,
}

impl Walk {
    fn block(&mut self, block: &Block, in_branch: bool) {
        for statement in block {
            if is_barrier(statement) && in_branch {
                self.complaints.push("a barrier in a branch".into());
            }
            if is_barrier(statement) && self.returned {
                self.complaints.push("a return before a barrier".into());
            }
            self.returned |= matches!(statement, Statement::Return { .. });
            let branches = matches!(statement, Statement::If { .. } | Statement::Switch { .. });
            for child in children(statement) {
                self.block(child, in_branch || branches);
            }
        }
    }
}
