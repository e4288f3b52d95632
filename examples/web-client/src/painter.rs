//! When the screen's news come to the page.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::prelude::*;

use crate::page::Page;
use crate::pause::{later, not_later, on_next_frame};
use crate::screen::Screen;
use crate::session::text;

/// Brings the screen's news to the page: once for each frame that the browser shows, or at the presenter's pace.
pub(crate) struct Painter {
    screen: Rc<RefCell<Screen>>,
    ordered: Cell<Option<Order>>,
    paint: RefCell<Option<Closure<dyn FnMut()>>>,
}

/// What the browser has been asked for.
#[derive(Clone, Copy)]
enum Order {
    Frame,
    /// A timer, which can be taken back.
    Timer(i32),
}

impl Painter {
    pub(crate) fn new(screen: Rc<RefCell<Screen>>, page: Page) -> Rc<Self> {
        let this = Rc::new(Self { screen, ordered: Cell::default(), paint: RefCell::default() });
        let weak = Rc::downgrade(&this);
        let paint = Closure::new(move || {
            let Some(this) = weak.upgrade() else { return };
            this.ordered.set(None);
            let left = this.screen.borrow_mut().show();
            match left {
                Ok(true) => this.order(),
                Ok(false) => {}
                Err(error) => page.trouble(&text(&error)),
            }
        });
        this.paint.replace(Some(paint));
        this
    }

    pub(crate) fn screen(&self) -> &Rc<RefCell<Screen>> {
        &self.screen
    }

    /// There is something new to show.
    pub(crate) fn order(&self) {
        let paint = self.paint.borrow();
        let Some(paint) = &*paint else { return };
        match self.ordered.get() {
            Some(Order::Timer(timer)) if self.screen.borrow().is_asked() => not_later(timer),
            Some(_) => return,
            None => {}
        }
        // Frames that the pace leaves out are not asked for: each costs the browser something although nothing is shown.
        let wait = self.screen.borrow().wait_ms();
        let order = if wait > 0.0 {
            Order::Timer(later(paint, wait))
        } else {
            on_next_frame(paint);
            Order::Frame
        };
        self.ordered.set(Some(order));
    }
}
