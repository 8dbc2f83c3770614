//! Tables, which become cards where there is little room.

use maud::{Markup, html};

/// A table: the first column names what a row is about.
pub(in crate::console) struct Table {
    caption: &'static str,
    columns: Vec<(&'static str, bool)>,
    rows: Vec<Vec<Markup>>,
}

/// A number or a time in a column, which is set to the right.
pub(in crate::console) fn numeric(name: &'static str) -> (&'static str, bool) {
    (name, true)
}

impl Table {
    /// A table of these columns. The caption is for those who do not see it.
    pub(in crate::console) fn new<C: Into<Column>>(
        caption: &'static str,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        let columns = columns.into_iter().map(|column| column.into().0).collect();
        Self { caption, columns, rows: Vec::new() }
    }

    /// Adds a row, with a cell for each column.
    pub(in crate::console) fn row(&mut self, cells: impl IntoIterator<Item = Markup>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table. Roles are said, because the cells of a table that is laid out as cards are none to some browsers.
    pub(in crate::console) fn show(&self) -> Markup {
        let cells = |row: &'_ Vec<Markup>| {
            let cells = row.iter().zip(&self.columns).enumerate();
            cells.map(|(index, (cell, (name, right)))| (index, cell.clone(), *name, *right)).collect::<Vec<_>>()
        };
        html! {
            table role="table" {
                caption { (self.caption) }
                thead role="rowgroup" {
                    tr role="row" {
                        @for (name, right) in &self.columns {
                            th role="columnheader" scope="col" class=[right.then_some("right")] { (name) }
                        }
                    }
                }
                tbody role="rowgroup" {
                    @for row in &self.rows {
                        tr role="row" {
                            @for (index, cell, name, right) in cells(row) {
                                @if index == 0 {
                                    th role="rowheader" scope="row" { (cell) }
                                } @else {
                                    // As a card, what is in a cell stands beside its label as one.
                                    td role="cell" data-label=(name) class=[right.then_some("right")] { div { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A column's name, and whether it is set to the right.
pub(in crate::console) struct Column((&'static str, bool));

impl From<&'static str> for Column {
    fn from(name: &'static str) -> Self {
        Self((name, false))
    }
}

impl From<(&'static str, bool)> for Column {
    fn from(column: (&'static str, bool)) -> Self {
        Self(column)
    }
}
