//! Charts of figures over a number that grows tenfold: connections, sessions, timers.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// Colors that people with color blindness can distinguish.
const COLORS: [RGBColor; 6] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];
const REFERENCE: RGBColor = RGBColor(70, 70, 70);
const SIZE: (u32, u32) = (860, 420);
/// The width of the column that names the lines: no name has to fit between them.
const LEGEND: u32 = 190;

/// One chart with any number of lines.
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) x: String,
    pub(crate) y: String,
    /// Whether the figures grow tenfold, too.
    pub(crate) log: bool,
    pub(crate) lines: Vec<Line>,
}

/// One line of a chart; a line without points is left out.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether it is the reference line, which is dashed.
    pub(crate) is_reference: bool,
}

impl Chart {
    /// Writes it as an SVG file.
    pub(crate) fn draw(&self, file: &Path) -> Result<()> {
        let mut text = String::new();
        self.onto(&mut text).map_err(|e| anyhow!("cannot draw {}: {e}", file.display()))?;
        std::fs::write(file, text + "\n")?;
        Ok(())
    }

    fn onto(&self, text: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let all = || self.lines.iter().flat_map(|line| &line.points);
        let (left, right) = bounds(all().map(|p| p.0));
        let (least, most) = bounds(all().map(|p| p.1));
        let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (plot, legend) = root.split_horizontally(SIZE.0 - LEGEND);
        let mut builder = ChartBuilder::on(&plot);
        builder.caption(&self.title, ("sans-serif", 18)).margin(12).margin_right(40);
        builder.x_label_area_size(45).y_label_area_size(85);
        let x = (left..right.max(left * 10.0)).log_scale();
        let styled = || {
            let mut colors = COLORS.iter().cycle();
            let lines = self.lines.iter().filter(|line| !line.points.is_empty());
            lines.map(move |line| {
                let color = match line.is_reference {
                    true => &REFERENCE,
                    false => colors.next().expect("they are repeated"),
                };
                (line, color.stroke_width(2))
            })
        };
        // Both scales are drawn by the same code, which the types do not show.
        macro_rules! draw {
            ($y:expr) => {{
                let mut chart = builder.build_cartesian_2d(x, $y)?;
                let mut mesh = chart.configure_mesh();
                mesh.light_line_style(WHITE).x_desc(&self.x).y_desc(&self.y);
                mesh.x_label_formatter(&|v| number(*v))
                    .y_label_formatter(&|v| number(*v))
                    .draw()?;
                for (line, style) in styled() {
                    let points = line.points.iter().copied();
                    if line.is_reference {
                        chart.draw_series(DashedLineSeries::new(points, 8, 5, style))?;
                    } else {
                        chart.draw_series(LineSeries::new(points, style).point_size(3))?;
                    }
                }
            }};
        }
        if self.log {
            draw!((least * 0.7..most * 1.4).log_scale());
        } else {
            draw!(0.0..most * 1.1);
        }
        for (at, (line, style)) in (0..).map(|n| 60 + n * 22).zip(styled()) {
            let dashes: &[_] = if line.is_reference { &[(4, 12), (18, 26)] } else { &[(4, 30)] };
            for &(from, to) in dashes {
                legend.draw(&PathElement::new([(from, at), (to, at)], style))?;
            }
            let font = ("sans-serif", 15).into_font().color(&BLACK);
            legend.draw(&Text::new(line.name.clone(), (38, at - 7), font))?;
        }
        root.present()?;
        Ok(())
    }
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let wider = |(least, most): (f64, f64), v: f64| (least.min(v), most.max(v));
    let found = values.filter(|v| *v > 0.0).fold((f64::MAX, 0.0), wider);
    if found.1 > 0.0 { found } else { (1.0, 10.0) }
}

/// Formats a number: with thousands separators, and no more digits than are significant.
pub(crate) fn number(value: f64) -> String {
    if value.abs() < 10.0 {
        let text = format!("{value:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}").trim_end_matches(".0").to_owned();
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let texts = [0.5, 3.0, 42.25, 60.0, 999.6, 12345.0, 1234567.0].map(number);
        assert_eq!(texts, ["0.5", "3", "42.2", "60", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn a_chart_names_its_lines() {
        for log in [false, true] {
            let points = vec![(1.0, 5.0), (10.0, 70.0), (100.0, 900.0)];
            let line =
                |name: &str, points, is_reference| Line { name: name.into(), points, is_reference };
            let lines = vec![
                line("first", points, false),
                line("second", vec![(1.0, 3.0)], true),
                line("none", vec![], false),
            ];
            let [title, x, y] = ["rate", "sessions", "requests/s"].map(String::from);
            let chart = Chart { title, x, y, log, lines };
            let mut text = String::new();
            chart.onto(&mut text).unwrap();
            for word in ["rate", "sessions", "requests/s", "first", "second", "polyline"] {
                assert!(text.contains(word), "{word} is not in\n{text}");
            }
            assert!(!text.contains("none\n"), "{text}");
        }
    }
}
