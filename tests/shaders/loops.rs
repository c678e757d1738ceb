//! Checks that no loop's bound depends on uniforms only.
//!
//! Mesa's software driver recompiles a kernel at every dispatch, for the values of the uniforms, if
//! these alone bound a loop; `shaders/loop_bound.wgsl` explains this and how to avoid it. The
//! driver sees through variables and arithmetic, and so does this search.

use naga::{
    AddressSpace, BinaryOperator, Block, Expression, Function, Handle, LocalVariable, Module, Statement,
};

use super::parse::{Parsed, children};

/// Every loop with such a bound, as a message.
pub fn complaints(parsed: &Parsed) -> Vec<String> {
    let functions = parsed.module.functions.iter().map(|(_, function)| function);
    let functions = functions.chain(parsed.module.entry_points.iter().map(|entry| &entry.function));
    functions.flat_map(|function| Search { module: &parsed.module, function }.block(&function.body)).collect()
}

/// What the value of an expression depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Constants,
    /// Uniforms, perhaps with constants.
    Uniforms,
    /// Something else as well.
    More,
}

struct Search<'a> {
    module: &'a Module,
    function: &'a Function,
}

impl Search<'_> {
    fn block(&self, block: &Block) -> Vec<String> {
        let mut complaints = Vec::new();
        for statement in block {
            if let Statement::Loop { body, continuing, break_if } = statement {
                let conditions = conditions(body, continuing, *break_if);
                complaints.extend(conditions.into_iter().filter_map(|condition| self.complaint(condition)));
            }
            complaints.extend(children(statement).into_iter().flat_map(|child| self.block(child)));
        }
        complaints
    }

    /// The complaint about a condition that ends a loop, if any.
    fn complaint(&self, condition: Handle<Expression>) -> Option<String> {
        match self.function.expressions[condition] {
            Expression::Binary {
                op: BinaryOperator::LogicalAnd | BinaryOperator::LogicalOr,
                left,
                right,
            } => self.complaint(left).or_else(|| self.complaint(right)),
            Expression::Unary { expr, .. } => self.complaint(expr),
            Expression::Binary { left, right, .. } => {
                let bounded = [left, right].into_iter().any(|side| self.bounds(side));
                bounded.then(|| "the bound of a loop depends only on uniforms: use loop_bound".into())
            }
            _ => None,
        }
    }

    /// Whether one side of a comparison depends on uniforms only, now or when it was last assigned.
    fn bounds(&self, side: Handle<Expression>) -> bool {
        let assigned = match self.function.expressions[side] {
            Expression::Load { pointer } => match self.function.expressions[pointer] {
                Expression::LocalVariable(variable) => self.assigned(&self.function.body, variable),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        assigned.into_iter().chain([side]).any(|value| self.source(value) == Source::Uniforms)
    }

    /// Everything that a block assigns to a variable.
    fn assigned(&self, block: &Block, variable: Handle<LocalVariable>) -> Vec<Handle<Expression>> {
        let mut values: Vec<_> = self.function.local_variables[variable].init.into_iter().collect();
        for statement in block {
            if let Statement::Store { pointer, value } = *statement {
                let target = &self.function.expressions[pointer];
                if matches!(target, Expression::LocalVariable(found) if *found == variable) {
                    values.push(value);
                }
            }
            for child in children(statement) {
                values.extend(self.assigned(child, variable));
            }
        }
        values
    }

    fn source(&self, value: Handle<Expression>) -> Source {
        let all = |parts: &[Handle<Expression>]| {
            parts.iter().map(|&part| self.source(part)).max().unwrap_or(Source::Constants)
        };
        match &self.function.expressions[value] {
            Expression::Literal(_) | Expression::Constant(_) | Expression::ZeroValue(_) => Source::Constants,
            Expression::GlobalVariable(variable) => match self.module.global_variables[*variable].space {
                AddressSpace::Uniform => Source::Uniforms,
                _ => Source::More,
            },
            Expression::Load { pointer } => self.source(*pointer),
            Expression::AccessIndex { base, .. } => self.source(*base),
            Expression::Unary { expr, .. } | Expression::As { expr, .. } => self.source(*expr),
            Expression::Binary { left, right, .. } => all(&[*left, *right]),
            Expression::Select { condition, accept, reject } => all(&[*condition, *accept, *reject]),
            Expression::Math { arg, arg1, arg2, arg3, .. } => {
                let arguments: Vec<_> = [Some(*arg), *arg1, *arg2, *arg3].into_iter().flatten().collect();
                all(&arguments)
            }
            _ => Source::More,
        }
    }
}

/// The conditions on which a loop with these parts ends.
pub fn conditions(
    body: &Block,
    continuing: &Block,
    break_if: Option<Handle<Expression>>,
) -> Vec<Handle<Expression>> {
    let mut conditions: Vec<_> = break_if.into_iter().collect();
    exits(body, &mut conditions);
    exits(continuing, &mut conditions);
    conditions
}

/// Conditions of the branches that leave this loop, without those of inner loops.
fn exits(block: &Block, conditions: &mut Vec<Handle<Expression>>) {
    for statement in block {
        match statement {
            Statement::If { condition, accept, reject } => {
                let breaks =
                    |block: &Block| block.iter().any(|statement| matches!(statement, Statement::Break));
                if breaks(accept) || breaks(reject) {
                    conditions.push(*condition);
                }
                exits(accept, conditions);
                exits(reject, conditions);
            }
            Statement::Block(block) => exits(block, conditions),
            _ => {}
        }
    }
}
