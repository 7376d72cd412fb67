module kbs.local/probe

go 1.26
