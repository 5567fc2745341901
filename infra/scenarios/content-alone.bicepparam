// The content of a workspace, without an app and without a secret.
using '../content.json'

param workspaceName = 'sentinel'
param oneLoginOn = false
