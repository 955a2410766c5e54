//! Signals: `ctrl_c`.
