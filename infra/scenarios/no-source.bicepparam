// Nothing but the workspace is given.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'

