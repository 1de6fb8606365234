module bonafide

go 1.26
