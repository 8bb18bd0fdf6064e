//! Charts as SVG, drawn by the server: no script, every point a link, and each has its table beside it on the page.
//! A series is told by colour and by the shape of its marks.

use scale::Scale;

mod scale;

/// Size of the drawing, in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;

/// Room for the labels of the axes.
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 46.0;
const TOP: f64 = 14.0;
const RIGHT: f64 = 18.0;

/// Series that are told apart; more share colours.
const COLOURS: usize = 8;

/// What is to be drawn.
pub(crate) struct Plot {
    pub(crate) title: &'static str,
    pub(crate) x_label: &'static str,
    pub(crate) y_label: &'static str,
    pub(crate) series: Vec<Series>,
}

/// Points that belong together, in the order in which a line joins them.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
}

/// A point with what it says in words.
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) words: String,
    pub(crate) address: Option<String>,
}

/// A drawing, as the template writes it.
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    pub(crate) x_label: &'static str,
    pub(crate) y_label: &'static str,
    pub(crate) x_ticks: Vec<Tick>,
    pub(crate) y_ticks: Vec<Tick>,
    pub(crate) curves: Vec<Curve>,
}

/// A mark on an axis.
pub(crate) struct Tick {
    pub(crate) at: String,
    pub(crate) words: String,
}

/// A series that was drawn.
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) colour: usize,
    /// The path of its line; empty for a single point.
    pub(crate) line: String,
    /// Its mark, around the origin.
    pub(crate) mark: &'static str,
    pub(crate) dots: Vec<Dot>,
}

/// A point that was drawn.
pub(crate) struct Dot {
    pub(crate) at: String,
    pub(crate) words: String,
    pub(crate) address: Option<String>,
}

impl Plot {
    /// Draws what can be drawn; nothing without a point.
    pub(crate) fn draw(mut self) -> Option<Chart> {
        for series in &mut self.series {
            series.points.retain(|point| point.x.is_finite() && point.y.is_finite());
        }
        self.series.retain(|series| !series.points.is_empty());
        let values = |of: fn(&Point) -> f64| self.series.iter().flat_map(move |it| it.points.iter().map(of));
        let x = Scale::over(values(|point| point.x), LEFT, WIDTH - RIGHT)?;
        let y = Scale::over(values(|point| point.y), HEIGHT - BOTTOM, TOP)?;
        Some(Chart {
            title: self.title,
            x_label: self.x_label,
            y_label: self.y_label,
            x_ticks: x.ticks(),
            y_ticks: y.ticks(),
            curves: self.series.into_iter().enumerate().map(|(n, it)| it.draw(n, &x, &y)).collect(),
        })
    }
}

impl Chart {
    /// The same without links, for a file that is read elsewhere.
    pub(crate) fn without_links(mut self) -> Self {
        for dot in self.curves.iter_mut().flat_map(|curve| &mut curve.dots) {
            dot.address = None;
        }
        self
    }
}

impl Series {
    fn draw(self, number: usize, x: &Scale, y: &Scale) -> Curve {
        let places: Vec<(f64, f64)> =
            self.points.iter().map(|point| (x.place(point.x), y.place(point.y))).collect();
        let steps = places.iter().enumerate().map(|(index, (x, y))| {
            let step = if index == 0 { 'M' } else { 'L' };
            format!("{step}{x:.1} {y:.1}")
        });
        let line = if places.len() > 1 { steps.collect() } else { String::new() };
        let dots = self.points.into_iter().zip(&places).map(|(point, (x, y))| Dot {
            at: format!("translate({x:.1} {y:.1})"),
            words: format!("{}: {}", self.name, point.words),
            address: point.address,
        });
        let dots = dots.collect();
        Curve { colour: number % COLOURS, mark: MARKS[number % MARKS.len()], line, dots, name: self.name }
    }
}

/// Shapes, so that no reader needs colours: disc, square, triangle, diamond, triangle on its tip, cross, bar.
const MARKS: [&str; 7] = [
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
    "M-4-4h8v8h-8z",
    "M0-5.5L5 4H-5z",
    "M0-5.5L5.5 0L0 5.5L-5.5 0z",
    "M0 5.5L5-4H-5z",
    "M-1.7-5h3.4v3.3H5v3.4H1.7V5h-3.4V1.7H-5v-3.4h3.3z",
    "M-5.5-2.5h11v5h-11z",
];

#[cfg(test)]
mod tests {
    use super::{Chart, Plot, Point, Series};

    fn point(x: f64, y: f64) -> Point {
        Point { x, y, words: format!("{x} and {y}"), address: None }
    }

    fn draw(series: Vec<Vec<Point>>) -> Option<Chart> {
        let series = series.into_iter().map(|points| Series { name: "a".to_owned(), points });
        Plot { title: "t", x_label: "x", y_label: "y", series: series.collect() }.draw()
    }

    #[test]
    fn more_is_further_right_and_higher_up() {
        let chart = draw(vec![vec![point(1.0, 10.0), point(2.0, 20.0)]]).unwrap();
        assert_eq!(chart.curves[0].line, "M383.0 164.0L702.0 14.0");
        assert_eq!(chart.curves[0].dots[1].words, "a: 2 and 20");
        let words: Vec<&str> = chart.x_ticks.iter().map(|tick| tick.words.as_str()).collect();
        assert_eq!(words, ["0", "0.5", "1", "1.5", "2"]);
    }

    #[test]
    fn what_is_no_number_is_left_out_and_nothing_is_no_chart() {
        let chart = draw(vec![vec![point(f64::NAN, 1.0)], vec![point(3.0, 4.0)]]).unwrap();
        assert_eq!((chart.curves.len(), chart.curves[0].line.as_str()), (1, ""));
        assert!(draw(vec![vec![point(f64::INFINITY, 1.0)]]).is_none());
        assert!(draw(Vec::new()).is_none());
    }
}
