"""Bank files, read row by row in constant memory: camt.052, 053 and 054, OCR giro with AvtaleGiro, and MT940.

    file ─► lines (markup, records) ─► statements and their sums ─► `ReadPayment`, as a CSV file's rows

Each file is read twice: first for its sums, which say whether a row was changed or lost on the way, then for its rows.
Nothing here knows the database or a clock.
"""
