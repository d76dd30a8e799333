module golang.ngrok.com/muxado/v2

go 1.21
