//! Lets scratch tensors share memory if they are never live at the same time.
//!
//! Within a step, a scratch tensor is live from the first op that writes it to the last op that
//! uses it, and two steps never run at once. Tensors are assigned to *places* in memory, the
//! largest first, each to the smallest place that is free during its lifetime (best fit; Wilson et
//! al., "Dynamic storage allocation: a survey and critical review", 1995, section 3.4).

use super::declaration::{Declaration, Role};
use super::step::Step;
use crate::tensor::{Element, Tensor};

/// The lifetime of a tensor in one step, from its first to its last op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Life {
    step: usize,
    first: usize,
    last: usize,
}

impl Life {
    /// Operands of one op are live at the same time, even if one ends and the other begins there.
    fn overlaps(&self, other: &Life) -> bool {
        self.step == other.step && self.first <= other.last && other.first <= self.last
    }
}

/// A piece of memory for tensors of one element type.
struct Place {
    index: usize,
    element: Element,
    bytes: usize,
    lives: Vec<Life>,
}

/// The place of every tensor in `declarations`, by its index. Tensors that outlive their step, and
/// those in `kept`, have places of their own.
pub(super) fn assign(declarations: &[Declaration], steps: &[Step], kept: &[Tensor]) -> Vec<usize> {
    let count = declarations.len();
    let lives = lives(count, steps);
    let is_kept = |id: usize| kept.iter().any(|tensor| tensor.id() == id);
    let may_share = |id: usize| declarations[id].role == Role::Scratch && !is_kept(id);
    let mut shared: Vec<usize> = (0..count).filter(|&id| may_share(id)).collect();
    shared.sort_by_key(|&id| std::cmp::Reverse(declarations[id].tensor.bytes()));
    let mut of_tensor: Vec<usize> = (0..count).collect();
    let mut places: Vec<Place> = Vec::new();
    for id in shared {
        let (tensor, lives) = (declarations[id].tensor, &lives[id]);
        let is_free = |place: &&mut Place| {
            place.element == tensor.element()
                && !place.lives.iter().any(|one| lives.iter().any(|other| one.overlaps(other)))
        };
        let found = places.iter_mut().filter(is_free).min_by_key(|place| place.bytes);
        match found {
            Some(place) => {
                place.lives.extend(lives);
                of_tensor[id] = place.index;
            }
            None => places.push(Place {
                index: id,
                element: tensor.element(),
                bytes: tensor.bytes(),
                lives: lives.clone(),
            }),
        }
    }
    of_tensor
}

/// The lifetimes of each of `count` tensors, one for every step that uses it.
fn lives(count: usize, steps: &[Step]) -> Vec<Vec<Life>> {
    let mut lives: Vec<Vec<Life>> = vec![Vec::new(); count];
    for (step, ops) in steps.iter().map(|step| &step.ops).enumerate() {
        for (position, op) in ops.iter().enumerate() {
            let operands = op.operands();
            for tensor in operands.reads.iter().chain(&operands.writes).chain(&operands.updates) {
                match lives[tensor.id()].last_mut() {
                    Some(life) if life.step == step => life.last = position,
                    _ => lives[tensor.id()].push(Life { step, first: position, last: position }),
                }
            }
        }
    }
    lives
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::relu;
    use crate::plan::Plan;

    /// A chain of ReLUs: each tensor is dead once the next one is written.
    fn chain(plan: &mut Plan, x: Tensor, length: usize) -> Vec<Tensor> {
        let mut made = Vec::new();
        for _ in 0..length {
            made.push(relu::forward(plan, made.last().copied().unwrap_or(x)));
        }
        made
    }

    #[test]
    fn tensors_that_never_live_at_once_share_a_place() {
        let mut plan = Plan::new();
        let x = plan.declare("x", Role::Input, Element::F32, [5, 7]);
        plan.begin("one");
        let first = chain(&mut plan, x, 4);
        plan.begin("two");
        let second = chain(&mut plan, x, 3);
        assert_eq!(plan.bytes(Element::size), 8 * 35 * 4);
        plan.share_scratch(&[second[2]]);
        let place = |tensor: Tensor| plan.place(tensor);
        assert_eq!(place(first[0]), place(first[2]));
        assert_eq!(place(first[1]), place(first[3]));
        assert_ne!(place(first[0]), place(first[1]), "an op reads one and writes the other");
        // Steps run one after the other, so they share places; kept tensors do not share.
        assert!([place(first[0]), place(first[1])].contains(&place(second[0])));
        for other in first.iter().chain(&second[..2]).chain([&x]) {
            assert_ne!(place(second[2]), place(*other));
        }
        assert_eq!(plan.bytes(Element::size), 4 * 35 * 4);
    }

    #[test]
    fn a_tensor_that_is_read_again_later_keeps_its_place_until_then() {
        let mut plan = Plan::new();
        let x = plan.declare("x", Role::Input, Element::F32, [9]);
        plan.begin("step");
        let first = chain(&mut plan, x, 3);
        relu::backward(&mut plan, first[0], first[2]);
        plan.share_scratch(&[]);
        assert_ne!(plan.place(first[0]), plan.place(first[2]));
        assert_ne!(plan.place(first[0]), plan.place(first[1]));
    }
}
