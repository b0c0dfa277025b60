package authentik

// BackgroundImage returns the URL of the flow's background image: BackgroundURL
// where the server sent it (since 2025.12), else Background. It is usually a
// path on the server, and may be a signed URL that expires.
func (f FlowSet) BackgroundImage() string {
	if f.BackgroundURL != "" {
		return f.BackgroundURL
	}
	return f.Background
}
