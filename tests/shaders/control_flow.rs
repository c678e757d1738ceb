//! Whether all invocations of a workgroup reach every barrier.
//!
//! naga accepts a barrier that some invocations never reach
//! (<https://github.com/gfx-rs/wgpu/issues/4369>), and what happens then differs between drivers. So
//! kernels keep a rule that needs no analysis: barriers stand in `main`, in no branch, and nothing
//! returns before them. A loop around a barrier must be left by a condition that is the same for all
//! invocations; that much remains for a reviewer.

use naga::{Block, Statement};

use super::parse::{Parsed, children};

/// Every broken rule, in words.
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
    }
    complaints
}

fn is_barrier(statement: &Statement) -> bool {
    matches!(statement, Statement::ControlBarrier(_) | Statement::WorkGroupUniformLoad { .. })
}

fn has_barrier(block: &Block) -> bool {
    block.iter().any(|statement| is_barrier(statement) || children(statement).into_iter().any(has_barrier))
}

struct Walk {
    /// Whether some invocation may have returned already.
    returned: bool,
    complaints: Vec<String>,
}

impl Walk {
    fn block(&mut self, block: &Block, in_branch: bool) {
        for statement in block.iter() {
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
